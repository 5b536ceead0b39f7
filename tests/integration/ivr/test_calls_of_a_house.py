"""Calls with the real desk behind them: what is said stands in Valkey and SQL, and the gate goes by it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from config import policies, prompts, texts
from config.texts import LANGUAGES
from gateway.domain.consent.word import Channel
from gateway.domain.people.alias import counter_of
from gateway.domain.policy.verdict import Allow, Deny, Reason
from gateway.store.consent.gate import GateStore
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.consent.gate import Gate, Question
from gateway.usecases.people.erase import erase
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.talk.record import CallRecord
from ivr.talk.runner import FreeNumberTalk, Line
from tests.conftest import any_asterisk
from tests.integration.gateway.usecases.people.test_erase import tools
from tests.integration.house import ANNA, LINK, SHORT, House
from tests.integration.ivr.agi_peer import AgiPeer
from tests.integration.ivr.listening import exchange
from tests.noon import to_noon_of_a_tuesday
from tests.peers.sipp import Dial

WITHIN_S = 20.0


@pytest.fixture
def firms(house: House) -> House:
    """Two firms share the short number; the first is its host."""
    for firm in ("acme", "other"):
        house.firm(firm)
        house.campaign(firm)
    return house


@asynccontextmanager
async def line_of(house: House, link: str = LINK) -> AsyncIterator[tuple[int, asyncio.Queue[CallRecord]]]:
    """A server with the house's desk; its port, and the records of its calls. `link`: of its SMS."""
    line = Line(
        short_numbers={"0800123456": SHORT},
        sounds_dir="/sounds",
        key_wait_s=1.0,
        most_call_s=60.0,
        region="UA",
    )
    records: asyncio.Queue[CallRecord] = asyncio.Queue()
    talk = FreeNumberTalk(line, house.call_desk(link=link), records.put_nowait)
    server = AgiServer({"/free": talk}, AgiLimits(most_calls=10, call_s=60), lambda _: None)
    port = await server.start("127.0.0.1", 0)
    try:
        yield port, records
    finally:
        await server.stop(0)


async def call(house: House, peer: AgiPeer) -> CallRecord:
    """One call from beginning to end."""
    async with line_of(house) as (port, records), asyncio.timeout(WITHIN_S):
        await peer.call(port)
        return await records.get()


async def asked(house: House, number: str = ANNA) -> dict[tuple[int, Channel], object]:
    """What the gate says of each firm and channel, at noon."""
    gate = Gate(
        GateStore(
            DurableRedis(house.client),
            deployment=house.deployment,
            verify=house._verify,
            offset_s=to_noon_of_a_tuesday(),
        ),
        policies.load(),
    )
    found: dict[tuple[int, Channel], object] = {}
    for firm in (1, 2):
        house.redis.set(keys.blast(firm, "7"), "running")
        for channel in Channel:
            shopper = house.vault.index(number)
            question = Question(f"{firm}{channel}{len(house.names())}", firm, shopper, number, "7", channel)
            house.redis.delete(keys.contacts(channel, shopper))  # the caps are another matter
            (verdict,) = await gate.ask([question])
            assert verdict is not None
            decided = verdict.decision
            found[firm, channel] = decided.reason if isinstance(decided, Deny) else type(decided)
    return found


def entries(house: House) -> list[tuple[object, ...]]:
    columns = ("firm_id", "channel", "state", "how", "message_id", "wording", "actor")
    return house.rows("consent_entry", *columns)


NEVER = {(firm, channel): Reason.NO_CONSENT for firm in (1, 2) for channel in Channel}
REFUSED = {(firm, channel): Reason.WITHDRAWN for firm in (1, 2) for channel in Channel}


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_yes_is_recorded_with_the_very_question_that_was_heard(firms: House, language: str) -> None:
    before = await asked(firms)
    in_language = str(LANGUAGES.index(language) + 1)
    peer = AgiPeer(env={"callerid": ANNA}, keys=["8", in_language, "7", "1"])
    record = await call(firms, peer)

    assert before == NEVER
    assert await asked(firms) == NEVER | {(1, channel): Allow for channel in Channel}
    question = prompts.load(language)[prompts.CONSENT]
    assert [row[:4] for row in entries(firms)] == [(1, c, "given", "call") for c in ("sms", "call")]
    assert {row[4:] for row in entries(firms)} == {(f"{record.id}.4", question, "shopper")}
    heard = peer.heard.index(f"{language}/consent_question")
    assert peer.heard[heard + 1] == f"{language}/consent_given"
    assert all(ANNA not in str(row) for row in entries(firms))


@pytest.mark.parametrize("language", LANGUAGES)
async def test_who_owns_the_number_is_told_of_a_yes_and_of_the_way_out(firms: House, language: str) -> None:
    in_language = str(LANGUAGES.index(language) + 1)
    await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["8", in_language, "7", "1"]))
    firms.drain()

    told = texts.load(language).say("agreed_called", firm=firms.catalog.firms[1], number=SHORT)
    assert [text for _, text in firms.waiting_answers()].count(told) == 1
    await firms.text("stop")
    assert await asked(firms) == REFUSED


async def test_a_yes_after_a_stop_is_told_of_again(firms: House) -> None:
    """Whoever forged the number once must not undo its owner's STOP unheard."""
    told = texts.load("uk").say("agreed_called", firm=firms.catalog.firms[1], number=SHORT)
    for count in (1, 2):
        await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["7", "1"]))
        firms.drain()
        assert [text for _, text in firms.waiting_answers()].count(told) == count
        await firms.text("stop" + "!" * count)
        assert await asked(firms) == REFUSED


async def test_a_yes_of_which_nobody_can_be_told_is_none(firms: House) -> None:
    peer = AgiPeer(env={"callerid": ANNA}, keys=["7", "1"])
    async with line_of(firms, link="") as (port, records), asyncio.timeout(WITHIN_S):
        await peer.call(port)
        await records.get()

    assert "uk/not_now" in peer.heard
    assert "uk/consent_given" not in peer.heard
    assert await asked(firms) == NEVER
    assert entries(firms) == []


async def test_the_question_alone_is_no_yes(firms: House) -> None:
    for answer in ("*", "0", "7", ""):
        await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["7", answer]))
    assert await asked(firms) == NEVER


async def test_key_9_is_a_stop_for_both_ways_at_every_firm_and_is_confirmed_once(firms: House) -> None:
    await firms.text("start")
    firms.drain()
    assert await asked(firms) == NEVER | {(firm, Channel.SMS): Allow for firm in (1, 2)}
    await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["7", "9", "9"]))
    assert await asked(firms) == REFUSED  # before anything is settled
    firms.drain()

    assert await asked(firms) == REFUSED
    withdrawn = [row for row in entries(firms) if row[2] == "withdrawn"]
    assert sorted(row[:2] for row in withdrawn) == [(1, "call"), (1, "sms"), (2, "call"), (2, "sms")]
    assert {row[3] for row in withdrawn} == {"call"}
    confirmation = texts.load("uk").say("opt_out")
    assert [text for _, text in firms.waiting_answers()].count(confirmation) == 1


async def test_the_last_word_of_a_call_counts(firms: House) -> None:
    await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["7", "1", "9"]))
    assert await asked(firms) == REFUSED
    await call(firms, AgiPeer(env={"callerid": ANNA}, keys=["7", "1", "9", "7", "1"]))
    firms.drain()
    assert await asked(firms) == REFUSED | {(1, channel): Allow for channel in Channel}
    ours = [row[2] for row in firms.rows("consent_entry", "firm_id", "said_at", "state") if row[0] == 1]
    assert ours.count("given") == 6


async def test_a_yes_without_its_record_is_none(firms: House) -> None:
    def fails(*_: object) -> None:
        raise OSError

    event.listen(firms.engine, "commit", fails)
    peer = AgiPeer(env={"callerid": ANNA}, keys=["7", "1"])
    await call(firms, peer)
    event.remove(firms.engine, "commit", fails)

    assert "uk/not_now" in peer.heard
    assert "uk/consent_given" not in peer.heard
    assert await asked(firms) == NEVER


async def test_the_alias_of_one_who_was_erased_in_mid_call_is_not_said_again(firms: House) -> None:
    erased: list[bool] = []

    def erase_at_the_menu(line: str) -> None:
        if "uk/menu" in line and not erased:
            erased.append(True)
            erase(ANNA, tools(firms))

    peer = AgiPeer(env={"callerid": ANNA}, keys=["1"], on_command=erase_at_the_menu)
    await call(firms, peer)
    _, *told = " ".join(peer.heard).split("uk/alias_is")
    before, after = (re.sub("[^0-9]", "", said.partition("uk/once_more")[0]) for said in told)

    desk = firms.call_desk()
    assert counter_of(before, desk.alias_key) == 1
    assert (await desk.alias(ANNA)).digits == after != before


async def test_on_a_real_asterisk_the_gate_goes_by_the_keys(firms: House, brisk: Path) -> None:
    async with exchange(any_asterisk(), brisk, behind=firms.call_desk()) as line:
        async with line.call(Dial(number=ANNA)) as phone:
            await phone.told("greeting", "menu")
            await phone.key("7", "consent_question")
            await phone.key("1", "consent_given", "menu")
            agreed = await asked(firms)
            await phone.key("9", "no_more_offers", "menu")
            await phone.line.hang_up()
            count = await phone.line.ended()
        record = await line.record()
    assert (count.successful, count.failed) == (1, 0), count.told
    assert agreed == NEVER | {(1, channel): Allow for channel in Channel}
    assert await asked(firms) == REFUSED
    assert (record.keys, record.services[-2:]) == ("179", ("agree", "stop"))
    assert {row[4] for row in entries(firms)} == {f"{record.id}.3"}
