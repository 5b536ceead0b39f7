"""Marketing leaves at most once, whatever becomes of Redis: put back, its functions kept or not, rebuilt."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, update

from campaigns.fan_out import fan_out as fan_outs
from campaigns.fan_out.fan_out import FanOut
from campaigns.lifecycle import lifecycle
from campaigns.lifecycle.runner import Running
from config import policies
from config.settings import Settings
from gateway.domain.offers.blast import State
from gateway.domain.policy.verdict import Reason
from gateway.entry.commands.operations import rebuild as rebuild_command
from gateway.entry.process.process import Exit
from gateway.store.consent.gate import GateAway, GateStore
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.departures import Departures, Leave
from gateway.usecases.consent.gate import Gate
from gateway.usecases.operations.rebuild import rebuild_firm
from smpp.sending.sender import Sender
from tests.integration.campaigns.market import Market
from tests.integration.house import MASTER, House
from tests.integration.smpp.sending.fair_link import SlowLink, sending
from tests.noon import to_noon_of_a_tuesday

WAIT_S = 30.0
Keys = dict[bytes, bytes]


class Smsc:
    """What all senders of a test have submitted, by number."""

    def __init__(self) -> None:
        self.got: Counter[str] = Counter()
        self.links: list[SlowLink] = []

    def link(self, *, window: int = 10, answers_after_s: float = 0.001) -> SlowLink:
        """A link of a sender's own."""
        made = SlowLink(window=window, answers_after_s=answers_after_s)
        self.links.append(made)
        return made

    @property
    def most(self) -> int:
        """How often whoever got it most often got it."""
        self.got = Counter(pdu.destination for link in self.links for pdu in link.submitted)
        return max(self.got.values(), default=0)


def gate_of(house: House, engine: Engine | None = None) -> Gate:
    """The gate as the SMPP process has it, at noon."""
    store = GateStore(
        house.store.redis,
        deployment=house.deployment,
        verify=house._verify,
        offset_s=to_noon_of_a_tuesday(),
    )
    return Gate(store, policies.load(), ledger=Departures(engine or house.engine))


@asynccontextmanager
async def sender(market: Market, link: SlowLink) -> AsyncIterator[Sequence[Any]]:
    """A process that sends."""
    async with sending(market.house, link, gate=gate_of(market.house), firms=(market.firm,)) as ended:
        yield ended


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - conditions of Redis and of the sender alike
            await asyncio.sleep(0.005)


def kept(market: Market) -> Keys:
    """A copy of all that Redis holds."""
    redis: Any = market.house.redis
    return {name: redis.dump(name) for name in redis.keys("*")}


def put_back(market: Market, copy: Keys, *, functions: bool) -> None:
    """Redis as it was then. `functions`: it has them, as a server that was never started anew."""
    redis: Any = market.house.redis
    redis.flushall()
    for name, value in copy.items():
        redis.restore(name, 0, value)
    if not functions:
        redis.script_flush()


def rebuild(market: Market) -> None:
    house = market.house
    rebuild_firm(
        market.firm, house.engine, house.redis, house.desks(), house.deployment, "test", foreign=False
    )


def ends(market: Market) -> Counter[str]:
    return Counter(state for (state,) in market.house.rows("message", "state"))


FUNCTIONS = pytest.mark.parametrize("functions", [False, True], ids=["started anew", "functions kept"])


@FUNCTIONS
async def test_what_left_and_is_not_filed_leaves_no_second_time(market: Market, *, functions: bool) -> None:
    """The outcomes stand in Redis alone when it goes back to before the texts were taken."""
    market.shoppers(6)
    market.fan_out(market.launched())
    before, smsc = kept(market), Smsc()
    async with sender(market, smsc.link()) as ended:
        await until(lambda: len(ended) == 6)
    put_back(market, before, functions=functions)
    async with sender(market, smsc.link()) as ended:
        await until(lambda: len(ended) == 6)
    market.house.drain()

    assert (smsc.most, len(smsc.got)) == (1, 6)
    assert ends(market) == {"unknown": 6}
    assert {sent.error for sent in ended} == {"may have left"}


@FUNCTIONS
async def test_whom_it_went_back_for_in_the_middle_get_it_once_or_are_unknown(
    market: Market, monkeypatch: pytest.MonkeyPatch, *, functions: bool
) -> None:
    """Batches that were put since are lost with it: what has not left of these leaves still."""
    monkeypatch.setattr(fan_outs, "BATCH", 5)
    numbers = market.shoppers(40)
    blast = market.launched()
    market.fan_out(blast, most=2)
    before, smsc = kept(market), Smsc()
    market.fan_out(blast)
    link = smsc.link(window=3, answers_after_s=0.01)
    async with sender(market, link):
        await until(lambda: len(link.submitted) >= 17)
    left = {pdu.destination for pdu in link.submitted}
    put_back(market, before, functions=functions)
    market.fan_out(blast)
    async with sender(market, smsc.link()):
        await until(lambda: not market.waiting())
    market.house.drain()

    assert (smsc.most, set(smsc.got)) == (1, set(numbers))
    assert ends(market) == {"unknown": len(left), "accepted": 40 - len(left)}


@pytest.mark.parametrize("word", ["cancel", "pause"])
@FUNCTIONS
async def test_a_redis_of_before_a_cancel_or_a_pause_lets_nothing_leave(
    market: Market, word: str, *, functions: bool
) -> None:
    market.shoppers(4)
    blast = market.launched()
    market.fan_out(blast)
    before, smsc = kept(market), Smsc()
    {"cancel": lifecycle.cancel, "pause": lifecycle.pause}[word](market.desk, blast, market.now)
    put_back(market, before, functions=functions)
    async with sender(market, smsc.link()) as ended:
        await until(lambda: len(ended) == 4)
    market.house.drain()

    assert smsc.most == 0
    state, reason = ("denied", Reason.CANCELLED) if word == "cancel" else ("deferred", Reason.PAUSED)
    assert {(sent.state, sent.error) for sent in ended} == {(state, reason)}
    assert market.states(blast) == {"cancelled" if word == "cancel" else "deferred": 4}


async def test_after_a_rebuild_only_what_was_under_way_is_unknown(market: Market) -> None:
    numbers = market.shoppers(30)
    blast = market.launched()
    market.fan_out(blast)
    smsc = Smsc()
    link = smsc.link(window=4, answers_after_s=WAIT_S)  # the SMSC has them, and has not answered
    running = asyncio.create_task(_sent_until_killed(market, link, 4))
    await running
    rebuild(market)
    for number in numbers:
        market.say(number, "in:1")  # this market has told no ledger of them
    market.fan_out(blast)
    async with sender(market, smsc.link()):
        await until(lambda: not market.waiting())
    market.house.drain()

    assert (smsc.most, set(smsc.got)) == (1, set(numbers))
    assert ends(market) == {"unknown": 4, "accepted": 26}


async def _sent_until_killed(market: Market, link: SlowLink, count: int) -> None:
    """A sender that ends as by a kill: it hands nothing back."""
    house = market.house
    made = link.sender = Sender(
        link,  # type: ignore[arg-type]
        house.send_queue(),
        house.vault,
        firms=lambda: [market.firm],
        max_age_s=3600,
        observe=lambda *_: None,
        gate=gate_of(house),
    )
    running = asyncio.create_task(made.run())
    await until(lambda: len(link.submitted) == count)
    link.sender = None
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_what_a_stopped_sender_had_in_its_hands_leaves_by_the_next_one(market: Market) -> None:
    numbers = market.shoppers(20)
    blast = market.launched()
    market.fan_out(blast)
    smsc = Smsc()
    first = smsc.link(window=2, answers_after_s=0.02)
    first._status = lambda _now: 0x58  # throttled: all is noted as leaving, and nothing is taken
    async with sender(market, first):
        await until(lambda: first.submitted)
    second = smsc.link()
    async with sender(market, second) as ended:
        await until(lambda: len(ended) == 20)
    market.house.drain()

    assert sorted(pdu.destination for pdu in second.submitted) == sorted(numbers)
    assert ends(market) == {"accepted": 20}


async def test_a_blast_that_ends_after_a_rebuild_leaves_no_text_waiting(market: Market) -> None:
    market.shoppers(3)
    blast = market.launched()
    market.fan_out(blast)
    rebuild(market)
    lifecycle.cancel(market.desk, blast, market.now)
    Running(market.desk, FanOut(market.desk), stop=lambda: False).sweep()

    assert ends(market) == {"denied": 3}
    assert market.states(blast) == {"cancelled": 3}


async def test_a_ledger_of_an_earlier_time_ends_its_blasts(market: Market) -> None:
    """As `undercap rebuild --ledger-lost`: Redis has settled more than it knows."""
    market.shoppers(3)
    blast = market.launched()
    market.fan_out(blast)
    house = market.house
    house.redis.set(keys.settled(market.firm), "99-0")
    settings = Settings.model_validate(
        {
            "state_dir": house.state,
            "master_secret": MASTER.hex(),
            "redis": {"url": house.server_url},
            "sql": {"url": house.sql_url},
        }
    )
    assert rebuild_command.run(settings, ledger_lost=True) == Exit.OK

    assert market.again(blast).state is State.CANCELLED
    assert ends(market) == {"unknown": 3}
    FanOut(market.desk).step(blast.id, market.now)
    smsc = Smsc()
    async with sender(market, smsc.link()) as ended:
        await until(lambda: len(ended) == 3)
    assert smsc.most == 0


async def test_of_two_that_ask_about_a_text_one_may_submit_it(market: Market) -> None:
    market.shoppers(50)
    market.fan_out(market.launched())
    ids = [id_ for (id_,) in market.house.rows("message", "id")]

    def ask(nth: int) -> dict[str, Leave]:
        return asyncio.run(Departures(market.house.engine).begin(ids if nth % 2 else ids[::-1]))

    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(ask, range(4)))
    assert Counter(sum(found[id_] is Leave.NOW for found in told) for id_ in ids) == {1: 50}


@pytest.mark.parametrize(
    ("state", "leave"),
    [
        ("paused", Leave.PAUSED),
        ("cancelled", Leave.CANCELLED),
        ("expired", Leave.OVER),
        ("running", Leave.NOW),
    ],
)
async def test_the_ledger_knows_how_the_blast_stands(market: Market, state: str, leave: Leave) -> None:
    market.shoppers(1)
    market.fan_out(market.launched())
    with database.writing(market.house.engine) as connection:
        connection.execute(update(schema.blast).values(state=state))
    ((id_,),) = market.house.rows("message", "id")
    asked = Departures(market.house.engine)

    assert await asked.begin([id_, "of nobody"]) == {id_: leave, "of nobody": Leave.NEVER}
    again = await asked.begin([id_])
    assert again == {id_: Leave.NEVER if leave is Leave.NOW else leave}
    await asked.take_back([id_])
    assert await asked.begin([id_]) == {id_: leave}


async def test_a_ledger_that_hangs_holds_no_thread_that_others_need() -> None:
    """As who connects to an SMSC does, whose host is looked up in the loop's own threads."""
    hangs, goes_on = Event(), Event()

    def connect(*_: object, **__: object) -> None:
        hangs.set()
        goes_on.wait(WAIT_S)

    engine = create_engine("sqlite://")
    event.listen(engine, "do_connect", connect)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
    asked = Departures(engine)
    asking = [asyncio.ensure_future(asked.begin([one])) for one in ("a", "b", "c")]
    async with asyncio.timeout(WAIT_S):
        while not hangs.is_set():  # noqa: ASYNC110 - what another thread does
            await asyncio.sleep(0.01)
        assert await asyncio.to_thread(int) == 0
        assert not any(one.done() for one in asking)
    goes_on.set()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(one) for one in told] == [GateAway] * 3


async def test_while_the_ledger_is_away_no_offer_leaves() -> None:
    nowhere = create_engine("sqlite:////nowhere/at/all.db")
    with pytest.raises(GateAway, match="ledger"):
        await Departures(nowhere).begin(["m"])
