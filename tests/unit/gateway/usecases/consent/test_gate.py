"""The gate's use case against a store that says what it is told: what is decided, and what is charged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from config import policies
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny, Reason
from gateway.store.consent.gate import Asked, Charge, Free, GateAway, Stands
from gateway.usecases.consent.gate import FRESH_S, Gate, Question, Verdict

NOON = int(datetime(2026, 5, 12, 9, tzinfo=UTC).timestamp() * 1000)  # a Tuesday in Kyiv
NIGHT = NOON + 12 * 3_600_000
DAY_MS = 86_400_000
QUESTION = Question("m1", 1, "s" * 22, "380671234567", "7", Channel.SMS)


class FakeStore:
    """Says the same of everything; keeps what was charged."""

    def __init__(
        self,
        word: str = "in:5",
        blast: str = "running",
        now: int = NOON,
        free: int = 0,
        *,
        by_week: bool = False,
    ) -> None:
        self.stands = Stands(now, blast, word)
        self.free = Free(free, by_week)
        self.charged: list[Charge] = []

    async def look(self, asked: Sequence[Asked]) -> list[Stands | None]:
        return [self.stands if one.firm_id == QUESTION.firm_id else None for one in asked]

    async def charge(self, charges: Sequence[Charge]) -> list[Free]:
        self.charged += charges
        return [self.free] * len(charges)


async def verdict(store: FakeStore, question: Question = QUESTION) -> Verdict:
    (found,) = await Gate(store, policies.load(), clock=lambda: 50.0).ask([question])
    assert found is not None
    return found


CASES: list[tuple[str, FakeStore, Decision, int]] = [
    ("allowed and charged", FakeStore(), Allow(), 1),
    ("withdrawn", FakeStore("out:5"), Deny(Reason.WITHDRAWN), 0),
    ("withdrawn for texts, not for calls", FakeStore("out:5|in:5"), Deny(Reason.WITHDRAWN), 0),
    ("withdrawn for calls, not for texts", FakeStore("in:5|out:5"), Allow(), 1),
    ("never asked", FakeStore(""), Deny(Reason.NO_CONSENT), 0),
    ("asked, not answered", FakeStore("ask:5"), Deny(Reason.NO_CONSENT), 0),
    ("night", FakeStore(now=NIGHT), Defer(NOON - 3 * 3_600_000 + DAY_MS, Reason.HOURS), 0),
    ("a blast that nobody knows", FakeStore(blast=""), Deny(Reason.NO_BLAST), 0),
    ("cancelled", FakeStore(blast="cancelled"), Deny(Reason.CANCELLED), 0),
    ("paused", FakeStore(blast="paused"), Defer(NOON, Reason.PAUSED), 0),
    ("the day's cap", FakeStore(free=NOON + 3_600_000), Defer(NOON + 3_600_000, Reason.CAP_DAY), 1),
    ("the week's cap", FakeStore(free=NOON + 3_600_000, by_week=True),
     Defer(NOON + 3_600_000, Reason.CAP_WEEK), 1),
    ("a cap that ends at night", FakeStore(free=NIGHT),
     Defer(NOON + DAY_MS - 3 * 3_600_000, Reason.CAP_DAY), 1),
]  # fmt: skip


@pytest.mark.parametrize(("label", "store", "expected", "charged"), CASES, ids=[case[0] for case in CASES])
async def test_verdicts(label: str, store: FakeStore, expected: Decision, charged: int) -> None:
    del label
    assert expected == (await verdict(store)).decision
    assert charged == len(store.charged)


async def test_a_verdict_tells_what_it_stands_on_and_when_it_was_asked() -> None:
    found = await verdict(FakeStore("in:5|out:9"))
    basis = found.basis
    assert (basis.consent, basis.said_at, basis.pack, basis.decided_at) == (Consent.GIVEN, 5, "ua", NOON)
    assert found.asked_at == 50.0
    assert found.fresh(50.0 + FRESH_S - 0.001)
    assert not found.fresh(50.0 + FRESH_S)


async def test_a_contact_that_is_asked_for_again_has_the_same_tag() -> None:
    store = FakeStore()
    await verdict(store)
    await verdict(store)
    await verdict(store, QUESTION._replace(contact="m2"))
    tags = [charge.tag for charge in store.charged]
    assert tags[0] == tags[1] != tags[2]
    assert {len(tag) for tag in tags} == {8}


async def test_only_what_is_allowed_is_charged_and_answers_keep_their_order() -> None:
    store = FakeStore()
    strangers = [QUESTION._replace(contact=f"m{n}", number=n * "9") for n in (3, 4)]
    found = await Gate(store, policies.load()).ask([strangers[0], QUESTION, strangers[1]])
    assert [v and v.decision for v in found] == [Deny(Reason.NO_POLICY), Allow(), Deny(Reason.NO_POLICY)]
    assert len(store.charged) == 1


async def test_a_store_that_is_away_is_no_verdict() -> None:
    class Away(FakeStore):
        async def look(self, asked: Sequence[Asked]) -> list[Stands | None]:
            del asked
            raise GateAway

    with pytest.raises(GateAway):
        await verdict(Away())


async def test_a_firm_that_is_closed_has_no_verdict_and_others_have_theirs() -> None:
    store = FakeStore()
    closed = QUESTION._replace(firm_id=QUESTION.firm_id + 1)
    found = await Gate(store, policies.load()).ask([closed, QUESTION, closed])
    assert [v and v.decision for v in found] == [None, Allow(), None]
    assert len(store.charged) == 1
