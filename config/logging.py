"""structlog for every process: JSON or console, one canonical line per message, call or job.

Numbers are masked before they reach a log call; `mask` is the only form in which they may appear.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import structlog


def configure(*, process: str, fmt: Literal["console", "json"], level: str) -> None:
    """Set up structlog and the standard library's logging to write to standard error.

    `process`: name of this process, bound to every line.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    # Libraries: warnings only. RQ and redis would otherwise print job arguments and commands.
    logging.basicConfig(level=max(number, logging.WARNING), stream=sys.stderr, format="%(name)s: %(message)s")


def mask(number: str) -> str:
    """A phone number as it may be shown to an operator: the last two digits only.

    >>> mask("+380671234567")
    '•••67'
    """
    digits = [c for c in number if c.isdigit()]
    return "•••" + "".join(digits[-2:]) if len(digits) > 6 else "•••"
