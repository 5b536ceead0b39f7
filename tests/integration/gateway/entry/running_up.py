"""A started `up` of scripted children, as a test sees it: its lines, its journal, its Valkey."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from config.settings import Settings
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey.place import Place

SCRIPT = Path(__file__).parent / "scripted" / "scripted_up.py"
LOOK_AGAIN_S = 0.02


@dataclass(frozen=True, kw_only=True, slots=True)
class Noted:
    """A line of the children's journal."""

    what: str
    child: str
    pid: int
    at_s: float


def until(true: Callable[[], object], complaint: Callable[[], str], timeout_s: float = 20.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + timeout_s
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:g} s in vain:\n{complaint()}")
        time.sleep(LOOK_AGAIN_S)


def alive(pid: int) -> bool:
    """Whether a process does anything (a zombie does not)."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="ascii")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def _heed_interrupts() -> None:
    """In the child: a shell that runs the tests in the background has it ignore SIGINT, and us with it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _take_terminal() -> None:
    """In the new process, whose session has no terminal yet: its standard input becomes one."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


class Up:
    """One `up`; its output goes to a file, so that a killed one can still be read."""

    def __init__(
        self,
        state: Path,
        *children: str,
        stop_deadline_s: float = 10.0,
        terminal: int | None = None,
        **extra: str,
    ) -> None:
        """`terminal`: the descriptor of a pseudo-terminal that is to control it."""
        self.state = state
        self.output = state.parent / f"up-{time.monotonic_ns()}.log"
        kept = {k: v for k, v in os.environ.items() if "UNDERCAP_" not in k}
        environment = kept | {
            "UNDERCAP_STATE_DIR": str(state),
            "UNDERCAP_STOP_DEADLINE_S": str(stop_deadline_s),
            **extra,
        }
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, SCRIPT, *children],
                stdin=subprocess.DEVNULL if terminal is None else terminal,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=_heed_interrupts if terminal is None else _take_terminal,  # noqa: PLW1509 - no threads here
            )

    def text(self) -> str:
        """Everything that it and its children have written."""
        return self.output.read_text(encoding="utf-8")

    def lines(self, word: str) -> list[str]:
        """The supervisor's own lines with this word in them."""
        return [line for line in self.text().splitlines() if word in line and "process=up" in line]

    def journal(self, what: str, child: str = "") -> list[Noted]:
        """What the children noted."""
        try:
            written = (self.state / "journal").read_text(encoding="ascii")
        except FileNotFoundError:
            return []
        rows = [line.split() for line in written.splitlines(keepends=True) if line.endswith("\n")]
        noted = [Noted(what=w, child=c, pid=int(p), at_s=float(t)) for w, c, p, t in rows]
        return [n for n in noted if n.what == what and child in ("", n.child)]

    def until(self, true: Callable[[], object], timeout_s: float = 20.0) -> None:
        """Wait for a condition; its failure shows the output."""
        until(true, self.text, timeout_s)

    def until_summary(self) -> str:
        """Wait for the summary."""
        self.until(lambda: "  Stop " in self.text())
        return self.text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)

    @property
    def place(self) -> Place:
        """Where its Valkey is."""
        return valkey_place.place(Settings(state_dir=self.state))

    def redis(self) -> Redis:
        """A client of its Valkey."""
        return Redis(
            unix_socket_path=str(self.place.socket), decode_responses=True, retry=Retry(NoBackoff(), 0)
        )

    def valkey_pid(self) -> int:
        """The process id that its Valkey tells; 0 if it does not answer."""
        try:
            with contextlib.closing(self.redis()) as client:
                return int(client.info("server")["process_id"])
        except (RedisError, OSError):
            return 0

    def clean(self) -> None:
        """Kill all that a test may have left."""
        pids = [noted.pid for noted in self.journal("started")]
        for pid in (self.process.pid, *pids, self._valkey_by_its_file()):
            if pid and alive(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(timeout=10)

    def _valkey_by_its_file(self) -> int:
        """It may not answer; the number in the file may be another process by now."""
        try:
            pid = int(self.place.pid.read_text(encoding="ascii"))
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return 0
        return pid if b"valkey" in command else 0
