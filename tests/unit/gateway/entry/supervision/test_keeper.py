"""Keeping one process running, with a process that does what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from config.section import SettingsError
from gateway.entry.process import ends
from gateway.entry.process.ends import End, EndKind, Policy
from gateway.entry.supervision import keeper
from gateway.entry.supervision.keeper import Keeper, Told

CRASH = End(kind=EndKind.CRASH, reason="exit code 1")
PORT = End(kind=EndKind.SET_UP, reason="port 8080 is in use")
STOPPED = End(kind=EndKind.CRASH, reason="exit code 0")


async def until(true: Callable[[], bool]) -> None:
    """Let the others run until this is so."""
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0)


class FakeProcess:
    """Runs until the test, or a signal that it heeds, ends it."""

    def __init__(self, *, deaf: bool = False) -> None:
        self.signals: list[str] = []
        self._deaf = deaf
        self._ready = asyncio.Event()
        self._end: asyncio.Future[End] = asyncio.get_running_loop().create_future()

    async def ready(self) -> dict[str, str]:
        await self._ready.wait()
        return {"API": "http://x/"}

    async def ended(self) -> End:
        return await asyncio.shield(self._end)

    def terminate(self) -> None:
        self.signals.append("TERM")
        if not self._deaf:
            self.end(STOPPED)

    def kill(self) -> None:
        self.signals.append("KILL")
        self.end(STOPPED)

    def reload(self) -> None:
        self.signals.append("HUP")

    def become_ready(self) -> None:
        self._ready.set()

    def end(self, end: End) -> None:
        if not self._end.done():
            self._end.set_result(end)


class Script:
    """Starts fakes; remembers them."""

    def __init__(self, make: Callable[[], FakeProcess] = FakeProcess) -> None:
        self.started: list[FakeProcess] = []
        self._make = make

    async def __call__(self) -> FakeProcess:
        self.started.append(self._make())
        return self.started[-1]

    async def nth(self, number: int) -> FakeProcess:
        await until(lambda: len(self.started) >= number)
        return self.started[number - 1]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same policies in no time."""
    monkeypatch.setattr(keeper, "STEADY_S", 0.0)
    for kind, policy in ends.POLICIES.items():
        fast = Policy(first_s=0.0, most_s=0.0, each_time=policy.each_time, words=policy.words)
        monkeypatch.setitem(ends.POLICIES, kind, fast)


async def test_it_is_ready_and_is_stopped() -> None:
    script = Script()
    kept = Keeper("api", script, Told())
    kept.begin()
    process = await script.nth(1)
    assert (kept.settled.is_set(), kept.addresses) == (False, None)
    process.become_ready()
    await asyncio.wait_for(kept.settled.wait(), 5)
    assert kept.addresses == {"API": "http://x/"}
    assert await kept.ask_to_stop(5)
    assert (process.signals, len(script.started)) == (["TERM"], 1)


async def test_a_crash_is_followed_by_a_start_and_told_each_time() -> None:
    script = Script()
    with capture_logs() as logs:
        kept = Keeper("api", script, Told())
        kept.begin()
        for number in (1, 2, 3):
            assert not kept.settled.is_set()
            (await script.nth(number)).end(CRASH)
        await script.nth(4)
    assert [line["event"] for line in logs] == ["api ended (exit code 1); started again in 0 s"] * 3
    assert kept.settled.is_set()  # it is no longer waited for
    assert kept.fault == "exit code 1"
    await kept.ask_to_stop(5)


async def test_a_fault_is_told_once_and_its_mending_too() -> None:
    script = Script()
    with capture_logs() as logs:
        kept = Keeper("api", script, Told())
        kept.begin()
        (await script.nth(1)).end(PORT)
        (await script.nth(2)).end(PORT)
        process = await script.nth(3)
        process.become_ready()
        await until(lambda: len(logs) == 2)
    assert [line["event"] for line in logs] == [
        "api cannot run: port 8080 is in use (tried again every 0 s)",
        "api runs again",
    ]
    await kept.ask_to_stop(5)


async def test_a_fault_of_several_is_told_once_and_again_after_it_was_mended() -> None:
    with capture_logs() as logs:
        told = Told()
        told.end("smpp", PORT, "first")
        told.end("worker", PORT, "second")
        told.mended("smpp")
        told.mended("worker")
        told.end("worker", PORT, "third")
        told.end("api", CRASH, "fourth")
        told.end("api", CRASH, "")
    assert [line["event"] for line in logs] == ["first", "third", "fourth"]


async def test_what_must_start_gives_up_if_the_set_up_forbids_it() -> None:
    async def refused() -> FakeProcess:
        raise SettingsError("no Valkey on this machine")

    with capture_logs() as logs:
        kept = Keeper("valkey", refused, Told(), must_start=True)
        kept.begin()
        await asyncio.wait_for(kept.settled.wait(), 5)
    assert (kept.refused, kept.fault, logs) == (True, "no Valkey on this machine", [])


async def test_later_on_it_does_not_give_up() -> None:
    script = Script()
    kept = Keeper("valkey", script, Told(), must_start=True)
    kept.begin()
    first = await script.nth(1)
    first.become_ready()
    await asyncio.wait_for(kept.first_ready.wait(), 5)
    first.end(PORT)
    await script.nth(2)
    assert not kept.refused
    await kept.ask_to_stop(5)


async def test_a_deaf_one_is_killed() -> None:
    script = Script(lambda: FakeProcess(deaf=True))
    kept = Keeper("api", script, Told())
    kept.begin()
    process = await script.nth(1)
    assert not await kept.ask_to_stop(0.01)
    await kept.kill()
    assert process.signals == ["TERM", "KILL"]
    assert await kept.ask_to_stop(0)
    assert len(script.started) == 1


async def test_it_may_be_stopped_between_two_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Policy(first_s=60.0, most_s=60.0, each_time=True, words="{name}")
    monkeypatch.setitem(ends.POLICIES, EndKind.CRASH, slow)
    script = Script()
    kept = Keeper("api", script, Told())
    kept.begin()
    (await script.nth(1)).end(CRASH)
    await until(lambda: bool(kept.fault))
    assert await kept.ask_to_stop(5)
    assert len(script.started) == 1


async def test_one_that_never_began_is_stopped_at_once() -> None:
    assert await Keeper("api", Script(), Told()).ask_to_stop(0)


async def test_a_reload_reaches_it_at_once_or_when_it_is_ready() -> None:
    script = Script()
    kept = Keeper("smpp", script, Told())
    kept.begin()
    process = await script.nth(1)
    kept.reload()
    assert process.signals == []  # a signal before its handler stands would end it
    process.become_ready()
    await until(lambda: process.signals == ["HUP"])
    kept.reload()
    assert process.signals == ["HUP", "HUP"]
    process.end(CRASH)
    again = await script.nth(2)
    again.become_ready()
    await asyncio.wait_for(kept.settled.wait(), 5)
    assert again.signals == []
    await kept.ask_to_stop(5)
