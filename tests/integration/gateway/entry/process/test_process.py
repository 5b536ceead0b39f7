"""How a process of ours starts, ends and says why, with real signals."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.entry.process import readiness
from gateway.entry.process.process import Exit
from tests.integration.gateway.entry.running_up import until

SCRIPT = Path(__file__).parents[1] / "scripted" / "scripted_child.py"
Started = subprocess.Popen[bytes]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Starts a scripted process by hand, or as a supervisor would; none is left afterwards."""
    started: list[Started] = []

    def begin(mode: str, *, status: int | None = None, deadline_s: float = 5.0) -> Started:
        kept = {k: v for k, v in os.environ.items() if "UNDERCAP_" not in k}
        supervised = {} if status is None else {readiness.VARIABLE: str(status)}
        process = subprocess.Popen(
            [sys.executable, SCRIPT, "api", mode],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=() if status is None else (status,),
            env=kept
            | supervised
            | {"UNDERCAP_STATE_DIR": str(tmp_path), "UNDERCAP_STOP_DEADLINE_S": str(deadline_s)},
        )
        started.append(process)
        if status is not None:
            os.close(status)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def wait_started(state: Path) -> None:
    """Until the process has begun its work, signal handlers in place."""
    until((state / "journal").exists, lambda: "the process did not start")


def hang_up(process: Started) -> None:
    """End its standard input, as a supervisor that dies does."""
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None


def said(process: Started) -> tuple[int, str]:
    """Exit code and standard error of a process that ends."""
    _, errors = process.communicate(timeout=20)
    return process.returncode, errors.decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_signal_stops_it_cleanly(start: Callable[..., Started], tmp_path: Path, number: int) -> None:
    process = start("serve")
    wait_started(tmp_path)
    process.send_signal(number)
    assert said(process) == (Exit.OK, "")
    assert "stopped api" in (tmp_path / "journal").read_text()


def test_the_end_of_standard_input_means_nothing_without_a_supervisor(
    start: Callable[..., Started], tmp_path: Path
) -> None:
    process = start("serve")
    wait_started(tmp_path)
    hang_up(process)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(timeout=0.3)


def test_it_is_cancelled_at_its_deadline(start: Callable[..., Started], tmp_path: Path) -> None:
    process = start("hang", deadline_s=0.5)
    wait_started(tmp_path)
    begun = time.monotonic()
    process.terminate()
    code, errors = said(process)
    assert code == Exit.LATE
    assert 0.5 <= time.monotonic() - begun < 3.0
    assert "did not stop in time" in errors


def test_a_blocked_loop_is_ended_by_force(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys, time; from config.settings import Settings\n"
        "from gateway.entry.process import process\n"
        "async def main(settings, stop):\n"
        "    print('started', flush=True)\n"
        "    await stop.wait()\n"
        "    time.sleep(60)\n"
        "sys.exit(process.run('api', Settings(stop_deadline_s=0.2), main))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    with contextlib.closing(process.stdout) as out:  # type: ignore[type-var]
        assert out is not None
        assert out.readline() == b"started\n"
        process.terminate()
        assert process.wait(timeout=10) == Exit.LATE
    assert process.stderr is not None
    with process.stderr as errors:
        assert errors.read() == b"undercap api: did not stop within 2.2 s; ended by force\n"


def test_a_set_up_fault_is_one_line(start: Callable[..., Started]) -> None:
    assert said(start("fault")) == (Exit.CONFIG, "undercap api: redis: Redis 6.2.14 is too old\n")


def test_a_port_in_use_is_one_line(start: Callable[..., Started]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, errors = said(start(f"port:{port}"))
    assert code == Exit.CONFIG
    assert errors == (
        f"undercap api: port {port} on 127.0.0.1 is in use: stop what uses it, "
        "or change http.port (or UNDERCAP_HTTP__PORT)\n"
    )


def test_what_nobody_expected_is_told_with_its_traceback(start: Callable[..., Started]) -> None:
    code, errors = said(start("crash"))
    assert code == Exit.FAILED
    assert "Traceback" in errors
    assert "RuntimeError: out of luck" in errors


def test_a_supervised_one_tells_its_supervisor_alone(start: Callable[..., Started]) -> None:
    reading, writing = os.pipe()
    process = start("fault", status=writing)
    code = process.wait(timeout=20)  # its standard input stays open: that is its lifeline
    _, errors = said(process)
    with os.fdopen(reading, "rb") as heard:
        assert heard.read() == b'{"fault": "redis: Redis 6.2.14 is too old"}\n'
    assert (code, errors) == (Exit.CONFIG, "")


def test_it_says_when_it_is_ready_and_ends_with_its_supervisor(
    start: Callable[..., Started], tmp_path: Path
) -> None:
    """The supervisor's death is, to the child, the end of its standard input."""
    reading, writing = os.pipe()
    process = start("serve", status=writing)
    with os.fdopen(reading, "rb") as heard:
        assert heard.readline() == b'{"ready": {"API": "http://127.0.0.1:8080/"}}\n'
    wait_started(tmp_path)
    hang_up(process)
    assert process.wait(timeout=10) == Exit.OK
    assert "stopped api" in (tmp_path / "journal").read_text()


def test_one_that_heeds_nothing_is_killed_after_its_supervisor(
    start: Callable[..., Started], tmp_path: Path
) -> None:
    reading, writing = os.pipe()
    process = start("deaf", status=writing, deadline_s=0.2)
    wait_started(tmp_path)
    hang_up(process)
    assert process.wait(timeout=10) == -signal.SIGKILL
    os.close(reading)
