"""A Redis that was lost takes nobody's caps with it: the next contact of the day is put off, as before."""

from __future__ import annotations

import pytest

from config import policies
from gateway.domain.consent.word import Channel
from gateway.domain.policy.caps import contact_name
from gateway.domain.policy.verdict import Allow, Decision, Defer, Reason
from gateway.store.consent.gate import GateStore
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.sendqueue import Sent
from gateway.usecases.consent.gate import Gate, Question, Verdict
from gateway.usecases.operations.rebuild_caps import rebuild_caps
from tests.integration.conftest import Undercap
from tests.integration.house import ANNA, BOHDAN, LINK, House
from tests.noon import to_noon_of_a_tuesday
from tests.offers import put_offers

DAY_S = 86_400


class Asking:
    """The gate as the sender asks it. `offset_s`: of its clock."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.offset_s = to_noon_of_a_tuesday()

    async def verdict(self, blast: str, number: str = ANNA) -> Verdict:
        """Of one text of a blast of firm 1."""
        self.house.redis.set(keys.blast(1, blast), "running")
        store = GateStore(
            DurableRedis(self.house.client),
            deployment=self.house.deployment,
            verify=self.house._verify,
            offset_s=self.offset_s,
        )
        shopper = self.house.vault.index(number)
        question = Question(contact_name(blast, shopper), 1, shopper, number, blast, Channel.SMS)
        (found,) = await Gate(store, policies.load()).ask([question])
        assert found is not None
        return found

    async def decision(self, blast: str, number: str = ANNA) -> Decision:
        return (await self.verdict(blast, number)).decision

    async def send(self, blast: str, number: str = ANNA) -> None:
        """A text of a blast leaves, and what it stood on is settled into SQL."""
        verdict = await self.verdict(blast, number)
        assert verdict.decision == Allow()
        put_offers(self.house.redis, self.house.vault, LINK, [number], "offer", blast=blast)
        queue = self.house.send_queue()
        (waiting,) = [one for one in await queue.take(1, 5) if one.blast == blast]
        await queue.file(
            [Sent(waiting, "accepted", "id", None, verdict.basis.decided_at, basis=verdict.basis)]
        )
        self.house.drain()


@pytest.fixture
async def asking(house: House) -> Asking:
    """A firm whose shoppers have said yes."""
    house.firm()
    house.campaign()
    for number in (ANNA, BOHDAN):
        await house.text("START", number)
    house.drain()
    return Asking(house)


async def test_a_rebuilt_redis_goes_on_to_count(
    asking: Asking, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCAP_CLOCK_OFFSET_S", str(asking.offset_s))
    await asking.send("7")
    before = await asking.decision("8")
    assert isinstance(before, Defer)
    assert before.reason is Reason.CAP_DAY
    asking.house.redis.flushall()
    asking.house.redis.script_flush()

    assert "1 contacts of the last week count again" in undercap("rebuild").output

    after = await asking.decision("8")
    assert isinstance(after, Defer)
    assert (after.reason, abs(after.until - before.until) <= 2_000) == (Reason.CAP_DAY, True)
    assert await asking.decision("7") == Allow()  # the same contact: it is charged already
    assert await asking.decision("8", BOHDAN) == Allow()
    assert 0 < int(asking.house.redis.ttl(keys.contacts("sms", asking.house.vault.index(ANNA)))) <= 7 * DAY_S


async def test_what_stands_is_neither_lost_nor_doubled(asking: Asking) -> None:
    house, rules = asking.house, policies.load().packs["ua"].channels["sms"]
    await asking.send("7")
    asking.offset_s += DAY_S + 60
    await asking.send("8")
    asking.offset_s += DAY_S + 60
    assert await asking.decision("9") == Allow()  # charged, and not noted yet
    stood = house.redis.get(keys.contacts("sms", house.vault.index(ANNA)))
    assert isinstance(stood, bytes)
    assert len(stood) == 12 * rules.per_week

    assert rebuild_caps(house.engine, house.redis, asking.offset_s) == 0
    assert house.redis.get(keys.contacts("sms", house.vault.index(ANNA))) == stood
    house.redis.delete(keys.contacts("sms", house.vault.index(ANNA)))
    assert rebuild_caps(house.engine, house.redis, asking.offset_s) == 2
    assert rebuild_caps(house.engine, house.redis, asking.offset_s + 6 * DAY_S) == 0
    assert (await asking.decision("10")) == Allow()


async def test_many_contacts_come_back_in_batches(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.consent.contact_log._CHUNK", 1)
    await asking.send("7")
    await asking.send("8", BOHDAN)
    asking.house.redis.delete(*asking.house.names("*caps*"))
    assert rebuild_caps(asking.house.engine, asking.house.redis, asking.offset_s) == 2
    for number in (ANNA, BOHDAN):
        assert isinstance(await asking.decision("9", number), Defer)
