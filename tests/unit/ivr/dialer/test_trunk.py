"""Whether the trunk carries our calls: many refusals in a row are about us, and one is not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError

from ivr.ami.call_result import CallEnd, CallResult
from ivr.dialer import pausing as pausing_module
from ivr.dialer.pausing import Pausing
from ivr.dialer.trunk import FAILED_FOR_S, FORGOTTEN_S, Trunk, TrunkFault


def end(result: CallResult, sip: int | None = None, cause: int | None = 21) -> CallEnd:
    return CallEnd(result=result, cause=cause, sip=sip)


FORBIDDEN = end(CallResult.TRUNK, 403)
NO_ROOM = end(CallResult.CONGESTION, 503)
SILENT = end(CallResult.SILENT, 0, 18)
NO_CHANNEL = end(CallResult.FAILED, None, None)
BUSY = end(CallResult.BUSY, 486)
REJECTED = end(CallResult.REJECTED, 603)
REJECTED_BY_WHOM = end(CallResult.REJECTED)
LOST = end(CallResult.UNKNOWN, None, None)


def words(ends: Sequence[CallEnd], *, apart_s: float = 0.1, talking: bool = False) -> list[str]:
    """What is said of each call, one after the other."""
    trunk = Trunk()
    found = [trunk.ended(one, at * apart_s, talking=talking) for at, one in enumerate(ends)]
    return [fault.word if fault else "" for fault in found]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ([FORBIDDEN] * 6, [*[""] * 4, *["trunk refuses: 403"] * 2]),
        ([*[FORBIDDEN] * 4, BUSY, *[FORBIDDEN] * 4], [""] * 9),
        ([*[FORBIDDEN] * 4, REJECTED, FORBIDDEN], [""] * 6),
        ([*[FORBIDDEN] * 4, LOST, FORBIDDEN], [*[""] * 5, "trunk refuses: 403"]),
        ([REJECTED_BY_WHOM] * 5, [*[""] * 4, "trunk refuses"]),
        ([REJECTED] * 20, [""] * 20),
        ([NO_ROOM] * 20, [""] * 20),
    ],
    ids=["refused", "busy between", "declined between", "lost between", "untold", "declined", "briefly"],
)
def test_in_a_row(ends: list[CallEnd], said: list[str]) -> None:
    assert words(ends) == said


@pytest.mark.parametrize(
    ("one", "word"),
    [(NO_ROOM, "trunk fails: 503"), (SILENT, "trunk is silent"), (NO_CHANNEL, "trunk fails")],
)
def test_what_may_pass_is_waited_for(one: CallEnd, word: str) -> None:
    apart_s = FAILED_FOR_S / 8
    assert words([one] * 9, apart_s=apart_s) == [*[""] * 8, word]
    assert words([one] * 9, apart_s=apart_s, talking=True) == [""] * 9  # the trunk does carry a call


def test_a_refusal_is_forgotten() -> None:
    assert words([FORBIDDEN] * 9, apart_s=FORGOTTEN_S / 3) == [""] * 9


def test_the_fault_stands_until_a_call_gets_through() -> None:
    trunk = Trunk()
    for at in range(5):
        trunk.ended(FORBIDDEN, float(at), talking=False)
    assert trunk.fault is not None
    assert trunk.fault.told.startswith("SIP 403: it forbids the call")
    trunk.ended(LOST, 6.0, talking=False)
    assert trunk.fault is not None
    trunk.ended(BUSY, 7.0, talking=False)
    assert trunk.fault is None


def test_words_fit_where_they_are_kept() -> None:
    for status in range(400, 700):
        for result in (CallResult.TRUNK, CallResult.CONGESTION, CallResult.SILENT):
            trunk = Trunk()
            for at in range(9):
                trunk.ended(end(result, status), at * FAILED_FOR_S, talking=False)
            assert trunk.fault is not None
            assert len(trunk.fault.word) <= 20


async def test_a_blast_is_paused_once_the_stores_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pausing_module, "RETRY_S", 0.01)
    paused: list[tuple[int, str]] = []
    troubles: list[Exception] = [OperationalError("", {}, Exception()), TimeoutError()]

    def pause(blast: int, word: str) -> bool:
        if troubles:
            raise troubles.pop()
        paused.append((blast, word))
        return True

    pausing = Pausing(pause)
    running = asyncio.create_task(pausing.run())
    pausing.add(7, TrunkFault(word="trunk refuses: 403", told="SIP 403"))
    async with asyncio.timeout(5):
        while not paused:  # noqa: ASYNC110 - what a thread does
            await asyncio.sleep(0.01)
    running.cancel()
    assert paused == [(7, "trunk refuses: 403")]
