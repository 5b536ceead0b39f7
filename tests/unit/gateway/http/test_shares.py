"""Shares of threads: a firm waits behind itself alone, whoever came first, and however its askers leave."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest

from gateway.http import shares
from gateway.http.problems import Problem
from gateway.http.shares import Shares

WITHIN_S = 10.0


class Work:
    """Goes on until it is let go; remembers who has begun."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = threading.Event()

    def of(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.begun.append(name)
            self.go.wait(WITHIN_S)
            return name

        return work


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not true():  # noqa: ASYNC110 - what stands in a thread
            await asyncio.sleep(0.005)


@pytest.mark.parametrize(("crowd", "other"), [(1, 2), (2, 1)])
async def test_a_firm_with_much_work_leaves_the_other_its_turn(crowd: int, other: int) -> None:
    work, found = Work(), Shares("test", threads=2, of_one=1)
    many = [asyncio.create_task(found.run(crowd, work.of(f"crowd {n}"))) for n in range(10)]
    await until(lambda: len(work.begun) == 1)
    one = asyncio.create_task(found.run(other, work.of("other")))
    await until(lambda: "other" in work.begun)
    assert work.begun == ["crowd 0", "other"]
    work.go.set()
    assert await one == "other"
    assert await asyncio.gather(*many) == [f"crowd {n}" for n in range(10)]


async def test_firms_that_wait_take_turns() -> None:
    work, found = Work(), Shares("test", threads=1, of_one=1)
    tasks = [asyncio.create_task(found.run(1, work.of(f"a{n}"))) for n in range(3)]
    await until(lambda: len(work.begun) == 1)
    tasks += [
        asyncio.create_task(found.run(firm, work.of(name))) for firm, name in ((2, "b"), (3, "c"), (2, "d"))
    ]
    await asyncio.sleep(0)
    work.go.set()
    await asyncio.gather(*tasks)
    assert work.begun == ["a0", "a1", "b", "c", "a2", "d"]


async def test_what_is_too_much_is_refused_to_that_firm_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MOST_WAITING", 3)
    work, found = Work(), Shares("test", threads=2, of_one=1)
    many = [asyncio.create_task(found.run(1, work.of("a"))) for _ in range(5)]
    await until(lambda: len(work.begun) == 1)
    other = asyncio.create_task(found.run(2, work.of("b")))
    await until(lambda: "b" in work.begun)
    work.go.set()
    told = await asyncio.gather(*many, return_exceptions=True)
    assert [getattr(one, "status", one) for one in told] == ["a"] * 4 + [429]
    assert await other == "b"
    assert isinstance(told[-1], Problem)


async def test_who_hangs_up_has_no_new_share_before_the_thread_is_free() -> None:
    work, found = Work(), Shares("test", threads=2, of_one=1)
    gone = asyncio.create_task(found.run(1, work.of("first")))
    waits = asyncio.create_task(found.run(1, work.of("never")))
    await until(lambda: len(work.begun) == 1)
    gone.cancel()
    waits.cancel()
    await asyncio.gather(gone, waits, return_exceptions=True)
    again = asyncio.create_task(found.run(1, work.of("again")))
    other = asyncio.create_task(found.run(2, work.of("other")))
    await until(lambda: "other" in work.begun)
    assert work.begun == ["first", "other"]
    work.go.set()
    assert list(await asyncio.gather(again, other)) == ["again", "other"]


async def test_work_that_fails_gives_its_share_back() -> None:
    found = Shares("test", threads=1, of_one=1)

    def fails() -> None:
        raise LookupError("no such thing")

    for _ in range(3):
        with pytest.raises(LookupError):
            await found.run(1, fails)
