"""The supervisor with real children, a real Valkey, real signals."""

from __future__ import annotations

import functools
import os
import pty
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.exceptions import RedisError

from tests.integration.gateway.entry.running_up import Up, alive

Starts = Callable[..., Up]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory that does not exist yet."""
    return tmp_path / "var"


@pytest.fixture
def start(state: Path) -> Iterator[Starts]:
    """Starts `up` on the state directory; everything is gone afterwards."""
    started: list[Up] = []

    def begin(*children: str, **extra: object) -> Up:
        started.append(Up(state, *children, **extra))  # type: ignore[arg-type]
        return started[-1]

    yield begin
    for up in started:
        up.clean()


def test_everything_starts_and_is_summed_up(start: Starts, state: Path) -> None:
    up = start("simulate:serve", "worker:serve", "smpp:serve", "api:serve")
    text = up.until_summary()
    assert "Undercap is ready." in text
    assert "  Virtual phone  http://127.0.0.1:8081/" in text
    assert "  API            http://127.0.0.1:8080/" in text
    assert f"`kill {up.process.pid}`; the state stays in {state}" in text
    assert state.stat().st_mode & 0o777 == 0o700
    assert (state / "master.secret").stat().st_mode & 0o777 == 0o600
    assert up.stop() == 0


def test_it_stops_in_reverse_order_valkey_last(start: Starts) -> None:
    up = start("worker:serve", "smpp:serve", "api:serve")
    up.until_summary()
    valkey = up.valkey_pid()
    assert up.stop() == 0
    stopped = [noted.child for noted in sorted(up.journal("stopped"), key=lambda noted: noted.at_s)]
    assert stopped == ["api", "smpp", "worker"]
    assert not alive(valkey)
    assert not any(alive(noted.pid) for noted in up.journal("started"))


def test_an_interrupt_stops_it(start: Starts) -> None:
    up = start("api:serve")
    up.until_summary()
    assert up.stop(signal.SIGINT) == 0
    assert [noted.child for noted in up.journal("stopped")] == ["api"]


def test_a_hangup_is_passed_on_to_smpp_alone(start: Starts) -> None:
    up = start("worker:serve", "smpp:serve", "api:serve")
    up.until_summary()
    for times in (1, 2):
        up.process.send_signal(signal.SIGHUP)
        up.until(functools.partial(_reloaded, up, times))
    assert {noted.child for noted in up.journal("reloaded")} == {"smpp"}
    up.until(lambda: len(up.lines("settings are read again by smpp")) == 2)
    assert up.stop() == 0
    assert len(up.journal("stopped")) == 3


def test_the_end_of_its_terminal_stops_it(state: Path) -> None:
    """The kernel's SIGHUP: nobody is there to see it run on. One that an operator sends reloads here, too."""
    ours, theirs = pty.openpty()
    up = Up(state, "smpp:serve", "api:serve", terminal=theirs)
    os.close(theirs)
    try:
        up.until_summary()
        up.process.send_signal(signal.SIGHUP)
        up.until(functools.partial(_reloaded, up, 1))
        os.close(ours)
        assert up.process.wait(timeout=20) == 0
        assert {noted.child for noted in up.journal("stopped")} == {"smpp", "api"}
    finally:
        up.clean()


def _reloaded(up: Up, times: int) -> bool:
    return len(up.journal("reloaded")) == times


def test_the_deadline_holds_and_the_others_are_asked_meanwhile(start: Starts) -> None:
    up = start("worker:serve", "smpp:hang", "api:deaf", stop_deadline_s=2.0)
    up.until_summary()
    begun = time.monotonic()
    assert up.stop() == 0
    assert time.monotonic() - begun < 2.0 + 2.0
    assert [noted.child for noted in up.journal("stopped")] == ["worker"]
    assert len(up.lines("smpp did not stop within 2 s; killed")) == 1
    assert len(up.lines("api did not stop within 2 s; killed")) == 1
    assert not any(alive(noted.pid) for noted in up.journal("started"))


def test_a_dying_child_is_restarted_and_its_reason_told_in_one_line(start: Starts) -> None:
    up = start("worker:crash", "api:serve")
    up.until(lambda: len(up.journal("started", "worker")) >= 3)
    told = up.lines("worker ended")
    first = "worker ended (exit code 1: RuntimeError: out of luck; and of words); started again in 0.25 s"
    assert first in told[0]
    assert "started again in 0.5 s" in told[1]
    assert len(up.journal("started", "api")) == 1
    begun = [noted.at_s for noted in up.journal("started", "worker")]
    assert begun[2] - begun[1] >= 0.5


def test_a_killed_child_is_restarted(start: Starts) -> None:
    up = start("api:serve")
    up.until_summary()
    os.kill(up.journal("started")[0].pid, signal.SIGKILL)
    up.until(lambda: len(up.journal("started")) == 2)
    assert len(up.lines("api ended (killed by SIGKILL); started again in 0.25 s")) == 1


def test_a_set_up_fault_is_told_once_for_all_and_the_rest_goes_on(start: Starts) -> None:
    up = start("worker:fault", "smpp:fault", "api:serve")
    assert "Undercap runs, but not yet: worker, smpp." in up.until_summary()
    assert len(up.lines("Redis 6.2.14 is too old (tried again every 30 s)")) == 1
    assert up.text().count("too old") == 1
    assert len(up.journal("started", "worker")) == 1


def test_a_port_in_use_is_told_in_one_line_that_names_the_setting(start: Starts) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = start("worker:serve", f"api:port:{port}")
        text = up.until_summary()
    assert "Undercap runs, but not yet: api." in text
    told = up.lines(f"port {port} on 127.0.0.1 is in use")
    assert len(told) == 1
    assert "api cannot run: " in told[0]
    assert "stop what uses it, or change http.port (or UNDERCAP_HTTP__PORT)" in told[0]
    assert "Traceback" not in text


def test_a_child_that_never_comes_up_does_not_hide_the_others(start: Starts) -> None:
    up = start("worker:crash", "api:serve")
    assert "http://127.0.0.1:8080/" in up.until_summary()


def test_a_second_up_is_refused_in_one_line_and_the_first_goes_on(start: Starts, state: Path) -> None:
    first = start("api:serve")
    first.until_summary()
    second = start("api:serve")
    assert second.process.wait(timeout=20) == 78
    assert second.text() == (
        f"undercap: another `undercap up` (process {first.process.pid}) works on {state}: "
        "stop it first, or choose another state_dir\n"
    )
    assert first.process.poll() is None
    assert len(first.journal("started")) == 1
    assert first.valkey_pid()


def test_a_killed_supervisor_leaves_no_child_but_its_valkey(start: Starts) -> None:
    first = start("worker:serve", "api:serve")
    first.until_summary()
    valkey, children = first.valkey_pid(), [noted.pid for noted in first.journal("started")]
    with first.redis() as client:
        client.set("kept", "yes")
    first.process.kill()
    first.until(lambda: not any(alive(pid) for pid in children))
    assert [noted.child for noted in first.journal("stopped")] != []
    assert alive(valkey)

    second = start("worker:serve", "api:serve")
    assert "Undercap is ready." in second.until_summary()
    assert second.valkey_pid() == valkey
    assert len(second.lines(f"goes on with the Valkey that an earlier `up` left (process {valkey})")) == 1
    with second.redis() as client:
        assert client.get("kept") == "yes"
    assert second.stop() == 0
    assert not alive(valkey)


def test_the_next_up_waits_for_the_children_of_a_killed_one(start: Starts) -> None:
    first = start("api:hang", stop_deadline_s=8.0)  # longer than a slow machine takes for the second start
    first.until_summary()
    child = first.journal("started")[0].pid
    first.process.kill()
    second = start("api:serve", stop_deadline_s=8.0)
    second.until(lambda: len(second.journal("started")) == 2)
    assert not alive(child)
    assert len(second.lines("waits for the processes of an `undercap up` that was killed")) == 1


def test_a_taken_over_valkey_that_dies_is_replaced(start: Starts) -> None:
    first = start("api:serve")
    first.until_summary()
    first.process.kill()
    second = start("api:serve")
    second.until_summary()
    valkey = second.valkey_pid()
    os.kill(valkey, signal.SIGKILL)
    second.until(lambda: second.valkey_pid() not in (0, valkey))
    assert len(second.lines("valkey ended (gone); started again in 0.25 s")) == 1


def test_a_killed_valkey_comes_back_with_what_it_acknowledged(start: Starts) -> None:
    up = start("api:serve")
    up.until_summary()
    valkey = up.valkey_pid()
    with up.redis() as client:
        client.set("kept", "yes")
    os.kill(valkey, signal.SIGKILL)
    up.until(lambda: up.valkey_pid() not in (0, valkey))
    assert len(up.lines("valkey ended (killed by SIGKILL); started again in 0.25 s")) == 1
    with up.redis() as client:
        assert client.get("kept") == "yes"
    assert len(up.journal("started")) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, so no full disk without root")
def test_a_full_disk_is_told_once_and_mends_itself(start: Starts, state: Path) -> None:
    begun = start("api:serve")
    begun.until_summary()
    assert begun.stop() == 0
    (file,) = (state / "valkey" / "appendonlydir").glob("*.incr.aof")
    file.unlink()
    file.symlink_to("/dev/full")  # every write to it fails with "No space left on device"

    up = start("api:serve")
    up.until_summary()
    valkey_log = state / "valkey" / "valkey.log"
    for ends in (1, 2, 3):
        up.until(up.valkey_pid)
        assert not _writes(up)
        up.until(functools.partial(_said, valkey_log, "Exiting...", ends))
    (told,) = up.lines("disk full")
    assert f"valkey: disk full: free space in {state / 'valkey'}; messages get the temporary answer" in told
    assert up.lines("valkey ended") == []

    file.unlink()
    file.touch()
    up.until(lambda: _writes(up), timeout_s=40)
    assert len(up.lines("disk full")) == 1
    assert len(up.journal("started")) == 2  # the child of each `up`, never restarted
    assert up.stop() == 0


def test_a_valkey_of_another_directory_is_refused(start: Starts, state: Path, tmp_path: Path) -> None:
    other = Up(tmp_path / "other", "api:serve")
    try:
        other.until_summary()
        state.mkdir(mode=0o700)
        (state / "valkey.sock").symlink_to(other.place.socket)
        up = start("api:serve")
        assert up.process.wait(timeout=20) == 78
        assert up.text() == (
            f"undercap: valkey: {state / 'valkey.sock'} is served by a Valkey of another directory, "
            f"{other.place.directory} (process {other.valkey_pid()}): stop it, or choose another state_dir\n"
        )
        assert other.valkey_pid()
    finally:
        other.clean()


def test_a_server_of_ones_own_needs_no_valkey(start: Starts, state: Path) -> None:
    up = start("api:serve", UNDERCAP_REDIS__URL="redis://127.0.0.1:1/0")
    up.until_summary()
    assert not (state / "valkey").exists()


def test_a_database_that_is_away_is_waited_for(start: Starts) -> None:
    up = start("--unprepared", "2", "api:serve")
    up.until_summary()
    assert len(up.lines("database: the database is away (tried again until it can run)")) == 1


def test_a_stop_while_starting_leaves_nothing(start: Starts) -> None:
    up = start("worker:silent", "api:serve")
    up.until(lambda: len(up.journal("started")) == 2)
    assert up.stop() == 0
    assert not any(alive(noted.pid) for noted in up.journal("started"))
    assert up.valkey_pid() == 0


def _said(log: Path, words: str, times: int) -> bool:
    return log.read_text(encoding="utf-8").count(words) == times


def _writes(up: Up) -> bool:
    try:
        with up.redis() as client:
            return bool(client.set("probe", "1"))
    except (RedisError, OSError):
        return False
