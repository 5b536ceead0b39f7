"""structlog for every process: JSON or console, one canonical line per message, call or job.

Numbers are masked before they reach a log call; `mask` is the only form in which they may appear. Thousands
of lines a second are written a tenth of a second at a time; from a warning on, at once.
"""

from __future__ import annotations

import atexit
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Callable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, TextIO

import orjson
import structlog

_GATHER_S: Final = 0.1
_MOST_GATHERED: Final = 1000
_ONCE_IN_S: Final = 60.0
_MOST_ALIKE: Final = 1000  # kinds of lines of libraries that are kept in mind
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?")


def configure(*, process: str, fmt: Literal["console", "json"], level: str) -> None:
    """Set up structlog and the standard library's logging to write to standard error.

    `process`: name of this process, bound to every line.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer(serializer=_as_json)
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    lines = Lines(sys.stderr)
    structlog.configure(
        processors=[_Stamp(process), structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    _set_direct(fmt == "json" and number <= logging.INFO, _Stamp(process), lines)
    # Libraries: warnings only. RQ and redis would otherwise print job arguments and commands.
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[_Libraries()])
    logging.getLogger("aiohttp.server").addFilter(_unquoted)
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # warns of every batch that is settled again


class _Libraries(logging.Handler):
    """What libraries tell, as lines of our own; the same again within a minute is left out."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, with its traceback where it has one."""
        try:
            words = record.getMessage()
            alike = record.name, _NUMBER.sub("#", words)
            if record.created - self._told.get(alike, -_ONCE_IN_S) < _ONCE_IN_S:
                return
            if len(self._told) >= _MOST_ALIKE:
                self._told.clear()
            self._told[alike] = record.created
            level = logging.getLevelName(max(record.levelno, logging.WARNING)).lower()
            tell = getattr(structlog.get_logger(), level, structlog.get_logger().error)
            tell(words, library=record.name, exc_info=record.exc_info or None)
        except Exception:  # noqa: BLE001 - as the standard library has it: a log line ends nothing
            self.handleError(record)


def _unquoted(record: logging.LogRecord) -> bool:
    """Of a request that cannot be read aiohttp logs the line: a number, a code or a key may stand there."""
    kind = record.exc_info[0] if record.exc_info else None
    if kind is not None and kind.__module__.startswith("aiohttp."):
        record.msg, record.exc_info = f"{record.msg}: {kind.__name__}", None
    return True


def canonical(event: str, **fields: Any) -> None:
    """The one line of a message: as `log.info(event, **fields)`, at half its cost where lines are JSON."""
    if _direct is None:
        structlog.get_logger().info(event, **fields)
    else:
        _direct(event, fields)


class Lines:
    """A logger that gathers lines, so that a busy process makes one write of hundreds.

    A process that is killed loses the information lines of its last tenth of a second, never a warning.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: list[str] = []
        self._lock = threading.Lock()
        self._due: threading.Timer | None = None
        atexit.register(self.flush)

    def info(self, line: str) -> None:
        """Gather a line."""
        self._waiting.append(line)
        if len(self._waiting) >= _MOST_GATHERED:
            self.flush()
        elif self._due is None:
            self._due = threading.Timer(_GATHER_S, self.flush)
            self._due.daemon = True
            self._due.start()

    def warning(self, line: str) -> None:
        """Write a line, and what was gathered before it, now."""
        self._waiting.append(line)
        self.flush()

    debug = msg = info
    warn = error = err = critical = fatal = exception = failure = warning

    def flush(self) -> None:
        """Write what was gathered."""
        with self._lock:
            self._due = None
            waiting, self._waiting = self._waiting, []
            if waiting:
                self._stream.write("\n".join(waiting) + "\n")
                self._stream.flush()


class _Stamp:
    """Process, level and time of a line."""

    def __init__(self, process: str) -> None:
        self._process = process
        self._second = 0
        self._shown = ""

    def __call__(self, _: Any, level: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._shown = datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        line["process"] = self._process
        line["level"] = level
        line["timestamp"] = f"{self._shown}.{int((now - second) * 1000):03d}Z"
        return line


_direct: Callable[[str, dict[str, Any]], None] | None = None


def _set_direct(wanted: bool, stamp: _Stamp, lines: Lines) -> None:
    global _direct  # noqa: PLW0603 - logging is a process's own, as structlog's configuration is

    def write(event: str, fields: dict[str, Any]) -> None:
        fields["event"] = event
        lines.info(_as_json(stamp(None, "info", fields)))

    _direct = write if wanted else None


# A dataclass is told as it shows itself: a field that it hides stays hidden.
_OPTIONS: Final = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS


def _as_json(line: Any, **_: Any) -> str:
    try:
        return orjson.dumps(line, default=str, option=_OPTIONS).decode()
    except TypeError:  # half a surrogate pair, or a number of over 64 bits: rare, and still to be told
        return json.dumps(line, separators=(",", ":"), default=str)


def mask(number: str) -> str:
    """A phone number as it may be shown to an operator: the last two digits only.

    >>> mask("+380671234567")
    '•••67'
    """
    if number.isdecimal() and len(number) > 6:
        return "•••" + number[-2:]
    digits = [c for c in number if c.isdigit()]
    return "•••" + "".join(digits[-2:]) if len(digits) > 6 else "•••"
