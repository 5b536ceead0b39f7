"""The dialer's small parts: outcomes, slowing, candidates, filing, watching, recovery."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy.exc import OperationalError

from config import policies
from gateway.domain.offers.offer_call import CallPlan, Next, Outcome, Spoken
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.offer_queue import Calling, Due
from gateway.store.consent.gate import Asked, GateAway, Stands
from ivr.ami.call_result import CallEnd, CallResult
from ivr.dialer import candidates as candidates_module
from ivr.dialer import heartbeat as heartbeat_module
from ivr.dialer.blasts import Audible, RunningBlasts
from ivr.dialer.call import CallTable
from ivr.dialer.candidates import Candidates
from ivr.dialer.consent_watch import Watch
from ivr.dialer.heartbeat import Heartbeat
from ivr.dialer.outcome import judge
from ivr.dialer.outcome_writer import Filing
from ivr.dialer.recovery import SILENT_S, Recovery
from ivr.dialer.slowing import LEAST, Slowing
from tests.unit.ivr.dialer.fakes import FakePhone, due, offer_call, told

RESULTS = {
    "busy": (CallResult.BUSY, 17, None, None, Outcome.BUSY),
    "no answer": (CallResult.NO_ANSWER, 19, None, None, Outcome.NO_ANSWER),
    "rejected": (CallResult.REJECTED, 21, None, None, Outcome.REJECTED),
    "no such number": (CallResult.BAD_NUMBER, 1, None, None, Outcome.BAD_NUMBER),
    "a cause of ours": (CallResult.FAILED, 111, None, None, Outcome.FAILED),
    "no channel: the trunk is down": (CallResult.FAILED, None, None, None, Outcome.CONGESTION),
    "lost": (CallResult.UNKNOWN, None, None, None, Outcome.UNKNOWN),
    "answered and talked": (CallResult.ANSWERED, 16, told(Outcome.LATER), None, Outcome.LATER),
    "answered, and the talk broke": (CallResult.ANSWERED, 16, told(), None, Outcome.FAILED),
    "answered, and nobody talked": (CallResult.ANSWERED, 16, None, None, Outcome.FAILED),
    "lost, and talked all the same": (CallResult.UNKNOWN, None, told(Outcome.HEARD), None, Outcome.HEARD),
    "a STOP while it rang": (CallResult.FAILED, 16, None, Outcome.WITHDRAWN, Outcome.WITHDRAWN),
    "paused while it rang": (CallResult.NO_ANSWER, 19, None, Outcome.BROKEN_OFF, Outcome.BROKEN_OFF),
    "hung up in the moment of the answer": (
        *(CallResult.ANSWERED, 16, None),
        *(Outcome.WITHDRAWN, Outcome.WITHDRAWN),
    ),
    "hung up, and perhaps it rings still": (
        *(CallResult.UNKNOWN, None, None),
        *(Outcome.BROKEN_OFF, Outcome.UNKNOWN),
    ),
}


@pytest.mark.parametrize(
    ("result", "cause", "talk", "broken", "outcome"), RESULTS.values(), ids=list(RESULTS)
)
def test_what_came_of_a_call(
    result: CallResult, cause: int | None, talk: object, broken: Outcome | None, outcome: Outcome
) -> None:
    assert judge(CallEnd(result=result, cause=cause), talk, broken) is outcome  # type: ignore[arg-type]  # a table


def test_congestion_halves_and_calm_restores_a_little_each_second() -> None:
    slowing = Slowing()
    assert slowing.share(100.0) == 1.0
    for _ in range(5):  # in one moment: one sign
        slowing.on_congestion(100.0)
    assert slowing.share(100.0) == 0.5
    slowing.on_congestion(102.0)
    assert slowing.share(102.0) == pytest.approx(0.27)
    assert slowing.share(112.0) == pytest.approx(0.47)
    assert slowing.share(200.0) == 1.0
    for second in range(300, 400):
        slowing.on_congestion(float(second))
    assert LEAST <= slowing.share(399.0) < 0.05


# Who is next


def audible(blast: int) -> Audible:
    plan = CallPlan(spoken={"uk": Spoken(intro=1, offer=2)})
    return Audible(Calling(blast, 1, "4040", "uk", plan), {"uk": ("i", "o")})


def test_blasts_have_their_turns_and_their_room() -> None:
    waiting = {1: [due(n, blast=1) for n in range(9)], 2: [due(n, blast=2) for n in range(9)], 3: []}
    found = Candidates(lambda blast, most: waiting[blast][:most])
    room = {1: 9, 2: 2, 3: 9}
    taken = found.next([audible(1), audible(2), audible(3)], lambda one: room[one.blast.id], 6)
    assert sorted(one.blast_id for _, one in taken) == [1, 1, 1, 1, 2, 2]
    assert sorted(one.shopper_id for _, one in taken) == [0, 0, 1, 1, 2, 3]


def test_who_had_to_wait_is_the_next_one_and_who_is_busy_is_passed_over() -> None:
    waiting = [due(n) for n in range(3)]
    found = Candidates(lambda _, most: waiting[:most])
    (_, first), (_, second) = found.next([audible(7)], lambda _: 9, 2)
    found.put_back([first])
    found.rest(second)
    assert [one.shopper_id for _, one in found.next([audible(7)], lambda _: 9, 9)] == [0, 2]


def test_sql_is_not_asked_again_at_once_for_a_blast_of_which_nobody_is_due(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def nobody(blast: int, most: int) -> list[Due]:
        asked.append(most)
        return [] if blast else [due()]

    found = Candidates(nobody)
    assert found.next([audible(7)], lambda _: 9, 2) == found.next([audible(7)], lambda _: 9, 2) == []
    assert len(asked) == 1
    monkeypatch.setattr(candidates_module, "LOOK_AGAIN_S", 0.0)
    found.leave(7)
    found.next([audible(7)], lambda _: 9, 2)
    assert len(asked) == 2


def test_a_blast_whose_recording_is_gone_does_not_call() -> None:
    class Names:
        def put(self, ids: object) -> dict[int, str]:
            assert set(ids) == {1, 2}  # type: ignore[call-overload]  # an iterable
            return names

    names = {1: "one", 2: "two"}
    blast = audible(7).blast
    assert RunningBlasts(lambda: [blast], Names()).now() == [Audible(blast, {"uk": ("one", "two")})]
    names.pop(2)
    assert RunningBlasts(lambda: [blast], Names()).now() == []


def test_the_pack_holds_over_the_plan() -> None:
    rules = policies.load().packs["us"].channels["call"]
    plan = CallPlan(spoken={"uk": Spoken(intro=1, offer=2)}, ring_s=5, max_attempts=9)
    assert (plan.within(rules).ring_s, plan.within(rules).max_attempts) == (15, 3)
    assert plan.model_copy(update={"ring_s": 40}).within(rules).ring_s == 40


def test_a_language_that_is_spoken() -> None:
    spoken = {word: Spoken(intro=1, offer=2) for word in ("uk", "ru")}
    plan = CallPlan(spoken=spoken)
    assert [plan.language(known, "ru") for known in ("uk", "kk", None)] == ["uk", "ru", "ru"]
    assert plan.language("kk", "en") == "uk"


# Filing


def ended(number: int) -> Ended:
    return Ended(f"o{number}", 7, number, Outcome.HEARD, Next(due_at=None), 1)


async def test_what_sql_does_not_take_is_kept_and_filed_later() -> None:
    written: list[str] = []
    away = [True]

    def end(batch: Sequence[Ended]) -> int:
        if away[0]:
            raise OperationalError("", {}, Exception())
        written.extend(one.id for one in batch)
        return len(batch)

    filing = Filing(end)
    filing.add(ended(1))
    assert not await filing.write()
    filing.add(ended(2))
    away[0] = False
    task = asyncio.create_task(filing.run())
    async with asyncio.timeout(5):
        while len(filing):  # noqa: ASYNC110 - what a thread does
            await asyncio.sleep(0.01)
    task.cancel()
    assert written == ["o1", "o2"]


# Watching


class FakeLook:
    def __init__(self, *stands: Stands | Exception) -> None:
        self.stands = stands
        self.asked: list[Asked] = []

    async def look(self, asked: Sequence[Asked]) -> list[Stands]:
        self.asked += asked
        found = self.stands[0]
        if isinstance(found, Exception):
            raise found
        return [s for s in self.stands if isinstance(s, Stands)]


def stands(blast: str = "running", word: str = "in:1") -> Stands:
    return Stands(1, blast, word)


async def test_only_who_must_not_ring_any_more_is_hung_up() -> None:
    table, phone = CallTable(), FakePhone()
    calls = [offer_call(n) for n in range(1, 7)]
    for call in calls:
        table.add(call)
    calls[5].taken = True  # talks
    look = FakeLook(stands(), stands(word="out:5"), stands("paused"), stands("cancelled"), stands("finished"))
    await Watch(table, look, phone).look()
    assert [call.broken for call in calls] == [
        *(None, Outcome.WITHDRAWN, Outcome.BROKEN_OFF, Outcome.CANCELLED),
        *(None, None),
    ]
    assert phone.hung_up == ["o2", "o3", "o4"]
    assert [one.shopper for one in look.asked] == ["s1", "s2", "s3", "s4", "s5"]


@pytest.mark.parametrize("fault", [GateAway("as told"), TimeoutError()])
async def test_a_gate_that_cannot_be_asked_lets_nobody_ring(fault: Exception) -> None:
    table, phone = CallTable(), FakePhone()
    table.add(offer_call())
    await Watch(table, FakeLook(fault), phone).look()
    assert phone.hung_up == ["o1"]


# Recovery


class FakeDialers:
    def __init__(self, *silent: str) -> None:
        self.said: list[str] = []
        self.quiet = list(silent)

    async def here(self, name: str) -> None:
        self.said.append(name)

    async def leave(self, name: str) -> None:
        self.said.remove(name)

    async def silent(self, names: Sequence[str]) -> list[str]:
        return [name for name in names if name in self.quiet]


async def test_only_a_dialer_that_stays_silent_is_dead() -> None:
    recovered: list[str] = []

    def recover(name: str) -> list[str]:
        recovered.append(name)
        return ["o1", "o2"]

    dialers, phone = FakeDialers("dead", "slow", "me"), FakePhone()
    recovery = Recovery("me", dialers, lambda: ["dead", "slow", "me", "living"], recover, phone)
    await recovery.look(0.0)
    dialers.quiet.remove("slow")
    await recovery.look(SILENT_S - 1)
    dialers.quiet.append("slow")
    await recovery.look(SILENT_S)
    assert recovered == ["dead"]
    assert phone.hung_up == ["o1", "o2"]


async def test_a_dialer_that_ends_the_calls_of_another_says_that_it_lives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Asterisk takes its time for each, and nobody must end this one's calls meanwhile."""
    monkeypatch.setattr(heartbeat_module, "EVERY_S", 0.01)
    never = asyncio.Event()

    class SlowPhone(FakePhone):
        async def hang_up(self, call_id: str) -> bool:
            await super().hang_up(call_id)
            return await never.wait()

    dialers, phone = FakeDialers("dead"), SlowPhone()
    recovery = Recovery("me", dialers, lambda: ["dead"], lambda _: ["o1", "o2"], phone)
    recovery.inherit("dead")
    heartbeat = Heartbeat("me", dialers)
    works = [asyncio.ensure_future(work.run()) for work in (heartbeat, recovery)]
    async with asyncio.timeout(5):
        while len(phone.hung_up) < 2:  # noqa: ASYNC110 - another task's work
            await asyncio.sleep(0)
        before = len(dialers.said)
        while len(dialers.said) < before + 3:  # noqa: ASYNC110 - another task's work
            await asyncio.sleep(0.01)
    for work in works:
        work.cancel()


async def test_who_has_left_says_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat_module, "EVERY_S", 0.0)
    dialers = FakeDialers()
    heartbeat = Heartbeat("me", dialers)
    running = asyncio.create_task(heartbeat.run())
    while not dialers.said:  # noqa: ASYNC110 - another task's work
        await asyncio.sleep(0)
    dialers.said = ["me"]
    await heartbeat.leave()
    await asyncio.wait_for(running, 5)
    assert dialers.said == []
