"""A person is erased: nothing leads to them any more, and nothing that was credited is missing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from config.settings import WebSettings
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.basis import Basis
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.people import erasures, redis_footprint, scrub
from gateway.store.people.erased_keys import is_nobody
from gateway.store.people.pins import Host, PinStore
from gateway.store.people.redis_footprint import Traces
from gateway.store.people.scrub import Scrubbed
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.texts.outbox import Outbox
from gateway.store.texts.parts import Origin, PartKeeper, WaitingPart
from gateway.store.texts.sendqueue import ServiceMessages, parse_results
from gateway.store.vault import access_report
from gateway.usecases.consent.consents import Change
from gateway.usecases.operations.rebuild import rebuild_firm
from gateway.usecases.people.erase import Erased, StillWaiting, Tools, erase
from gateway.usecases.people.pins import PinDesk, PinWish, send_pin
from tests.acceptance.secret_places import redis_places
from tests.integration.gateway.usecases.vault.vault_scene import lay_aside
from tests.integration.house import ANNA, BOHDAN, LINK, SHORT, House, ended

WHO = "olha as undercap"
WRONG = "9000000000001"


def tools(house: House, **changes: Any) -> Tools:
    """Those of a command."""
    made = Tools(
        engine=house.engine,
        redis=house.redis,
        vault=house.vault,
        desks=house.desks(),
        who=WHO,
        regions={LINK: "UA"},
        state=house.state,
        token="erase",
        wait_s=20.0,
    )
    return replace(made, **changes)


@pytest.fixture
def lived(house: House) -> Iterator[House]:
    """A firm with a campaign. What Redis is asked stands in its slow log, as on a busy machine."""
    house.firm()
    house.campaign()
    usual: Any = house.redis.config_get("slowlog-log-slower-than")
    house.redis.config_set("slowlog-log-slower-than", 100)
    yield house
    house.redis.config_set("slowlog-log-slower-than", usual["slowlog-log-slower-than"])


async def live(house: House, number: str = ANNA) -> list[str]:
    """Anna has texted all kinds of things, some of which wait everywhere; her unused codes."""
    codes = house.codes(1, 5)
    await house.text(codes[0], number)
    await house.text(WRONG, number)
    await house.text("alias", number)
    await house.text("start", number)
    house.drain()
    queue = house.send_queue()
    first, *_ = await queue.take(1, 2)  # of two the submit was begun; of one of them it is known what became
    await queue.file([ended(first)])
    house.drain()
    await house.text(codes[1], number)
    lay_aside(house)
    await house.text(codes[2], number)  # waits for settlement
    keeper = PartKeeper(house.store.redis, house.vault, timeout_s=60)
    await keeper.put([part(number)], time.time())
    await pin(house, number)
    return codes[3:]


def part(number: str) -> WaitingPart:
    """The first half of a long text, its sender in national form."""
    origin = Origin(
        link=LINK,
        source="0" + number[3:],
        source_ton=0,
        source_npi=0,
        destination=SHORT,
        data_coding=0,
    )
    return WaitingPart(origin=origin, reference=7, total=2, number=1, body=b"half")


async def pin(house: House, number: str) -> None:
    """A PIN waits to be sent."""
    redis = house.store.redis
    desk = PinDesk(
        pins=PinStore(redis, WebSettings()),
        sends=ServiceMessages(redis, house.vault),
        vault=house.vault,
        lives_s=600,
    )
    wish = PinWish(
        number=number,
        short_number=SHORT,
        host=Host(1, 1),
        firm_name="Acme",
        link=LINK,
        language="en",
        address="192.0.2.1",
    )
    await send_pin(wish, desk)


def found_in_redis(house: House, *octets: bytes) -> list[str]:
    """Where any of these stands, in a name or a value."""
    return [place for place, data in redis_places(house.redis) if any(o in data for o in octets)]


def found_in_files(house: House, *octets: bytes) -> list[str]:
    """The database's files that hold any of these."""
    files = house.state.glob("undercap.db*")
    return sorted(file.name for file in files if any(o in file.read_bytes() for o in octets))


def sums(house: House) -> dict[str, Any]:
    """What must not change: how many entries there are, of how many points, in which states."""
    tables = ("activation", "ledger_entry", "consent_entry", "balance")
    points = {table: sum(p for (p,) in house.rows(table, "points")) for table in ("ledger_entry", "balance")}
    return {table: len(house.rows(table, "firm_id")) for table in tables} | {"points": points}


def sealed_numbers(house: House) -> list[bytes]:
    return [number for (number,) in house.rows("shopper", "number") if number]


async def test_outcomes_that_were_laid_aside_lead_to_nobody(lived: House) -> None:
    house = lived
    await live(house)
    house.drain()
    index = house.vault.index(ANNA)
    basis = Basis(index, "blast 1", Channel.SMS, Consent.GIVEN, 1, "ua", 2)
    of_bohdan = basis._replace(shopper=house.vault.index(BOHDAN))
    lines = [f"{n}.1|accepted;0;{one.line()}|1||5|{LINK}|id" for n, one in enumerate((basis, of_bohdan))]
    spool = keys.results_spool(1)
    house.redis.xadd(spool.aside, {"why": "x", "was": "5-0", "j": "\n".join(lines)})

    erase(ANNA, tools(house))

    assert not found_in_redis(house, index.encode())
    ((_, fields),) = entries(house, spool.aside)
    assert [result.basis for result in parse_results(fields[b"j"])] == [None, of_bohdan]
    assert (fields[b"why"], fields[b"was"]) == (b"x", b"5-0")


def entries(house: House, name: str) -> Any:
    """Of a stream."""
    return house.redis.xrange(name)


async def test_nothing_leads_to_them_and_nothing_credited_is_missing(lived: House) -> None:
    house = lived
    await live(house)
    await house.text("balance", BOHDAN)
    house.drain()
    index, before = house.vault.index(ANNA).encode(), sums(house)
    (anna, bohdan) = sealed_numbers(house)
    queued = [sealed for (sealed,) in house.rows("message", "sealed") if sealed]
    assert found_in_redis(house, index)

    done = erase(ANNA, tools(house))

    assert done == Erased(
        known=True,
        answers=4,
        dead_letters=1,
        long_texts=1,
        wishes=0,
        unreadable=0,
        stops=0,
        database=Scrubbed.CLEAN if house.engine.dialect.name == "sqlite" else Scrubbed.ELSEWHERE,
        append_only_file=Scrubbed.CLEAN,
    )
    assert found_in_files(house, index, anna) == []
    seen = [place for place in found_in_redis(house, index) if "results" not in place]
    assert seen == []
    assert sums(house) == before
    assert sealed_numbers(house) == [bohdan]
    assert {number for number, _ in house.waiting_answers()} == {BOHDAN}
    assert not found_in_redis(house, *queued[:-1])
    assert len(house.names("*:seen:*")) == 2  # of her one answer that has ended, and of Bohdan's text
    assert house.rows("shopper", "language")[0] == (None,)
    assert house.rows("alias", "id") == []
    assert house.rows("wrong_code", "shopper_key") == []
    assert house.rows("erasure", "key", "shopper_id") == [(None, 1)]
    assert house.rows("suppression", "shopper_key") == []
    keys_left = [key for (key,) in house.rows("shopper", "key")]
    assert is_nobody(keys_left[0])
    assert keys_left[1] == house.vault.index(BOHDAN)


async def test_what_became_of_answers_is_said_as_far_as_it_is_known(lived: House) -> None:
    house = lived
    for text in ("balance", "alias", "help", "start"):
        await house.text(text)
    house.drain()
    queue = house.send_queue()
    first, second = await queue.take(1, 2)
    await queue.file([ended(first)])
    house.drain()
    await house.text("stop")  # is accepted, and not settled yet

    erase(ANNA, tools(house))

    states = [row[1:] for row in sorted(house.rows("message", "id", "state", "error", "sealed"))]
    assert states == [
        ("accepted", None, None),
        ("unknown", "erased", None),  # its submit was begun
        ("failed", "erased", None),
        ("failed", "erased", None),
        ("failed", "erased", None),
    ]
    assert house.rows("consent_entry", "state")[-1] == ("withdrawn",)
    await queue.file([ended(second)])  # its response comes late
    assert house.drain() == 0
    assert house.rows("message", "state")[1] == ("unknown",)


async def test_who_texts_again_is_somebody_new(lived: House) -> None:
    house = lived
    codes = house.codes(1, 2)
    await house.text(f"{codes[0]} alias")
    house.drain()
    erase(ANNA, tools(house))

    await house.text(f"{codes[0]} {codes[1]} alias")
    house.drain()

    (_, told) = house.waiting_answers()[-1]
    assert house.rows("activation", "shopper_id") == [(1,), (2,)]
    assert house.balance(ANNA) == 10
    assert "Already used: 1 code" in told
    assert house.rows("alias", "id", "shopper_id") == [(2, 2)]  # a counter is never given twice


async def test_a_stop_goes_on_to_hold_through_a_rebuild_until_a_start(lived: House) -> None:
    house = lived
    house.firm("other")
    await house.text("stop")
    house.drain()
    said = house.rows("consent_entry", "said_at")[0][0]

    assert erase(ANNA, tools(house)).stops == 1
    assert house.consent(ANNA) == "out"
    assert house.rows("suppression", "firm_id", "shopper_key", "word") == [
        (1, house.vault.index(ANNA), f"out:{said}")
    ]
    house.redis.flushall()
    rebuilt(house)
    assert house.consent(ANNA) == "out"
    assert house.names("*consent*") == [keys.consent(1, house.vault.index(ANNA))]

    await house.text("start")
    house.drain()
    assert house.consent(ANNA) == "in"
    house.redis.flushall()
    rebuilt(house)
    assert house.consent(ANNA) == "in"

    assert erase(ANNA, tools(house)).stops == 1  # the last word counts, and calls were not allowed again
    assert house.rows("suppression", "word") == [(f"|out:{said}",)]
    assert house.consent(ANNA) == "|out"


async def test_a_stop_that_stands_in_a_dead_letter_alone_holds(lived: House) -> None:
    house = lived
    await house.text("stop")
    lay_aside(house)

    done = erase(ANNA, tools(house))

    assert (done.known, done.dead_letters, done.stops) == (True, 1, 1)
    rebuilt(house)
    assert house.consent(ANNA) == "out"
    assert house.names("*consent*") == [keys.consent(1, house.vault.index(ANNA))]


def rebuilt(house: House) -> None:
    """Redis made anew out of SQL."""
    rebuild_firm(1, house.engine, house.redis, house.desks(), house.deployment, "rebuild", foreign=False)
    house.redis.set(keys.DEPLOYMENT, house.deployment)


async def test_a_rebuild_brings_nothing_back(lived: House) -> None:
    house = lived
    await live(house)
    erase(ANNA, tools(house))
    index = house.vault.index(ANNA).encode()
    house.redis.flushall()

    rebuilt(house)

    assert found_in_redis(house, index) == []
    assert house.waiting_answers() == []
    assert not [name for name in house.names() if "!" in name]


async def test_a_code_in_a_dead_letter_stays_used_and_is_credited_to_nobody(lived: House) -> None:
    house = lived
    (code,) = house.codes(1, 1)
    await house.text(code)
    lay_aside(house)
    erase(ANNA, tools(house))
    rebuilt(house)

    assert (await house.text(code, BOHDAN)).codes == ("R",)
    house.drain()
    DeadLetters(house.redis, 1).replay()
    house.drain()

    ((shopper, points),) = house.rows("balance", "shopper_id", "points")
    ((key,),) = [(k,) for id_, k in house.rows("shopper", "id", "key") if id_ == shopper]
    assert is_nobody(key)
    assert points == 10
    assert {number for number, _ in house.waiting_answers()} == {BOHDAN}
    assert house.names("*:claim:*") == []


async def test_it_may_be_done_again_and_to_somebody_unknown(lived: House) -> None:
    house = lived
    await live(house)
    erase(ANNA, tools(house))
    before = house.rows("shopper", *(c.name for c in schema.shopper.columns))

    assert not erase(ANNA, tools(house)).known
    assert not erase(BOHDAN, tools(house)).known

    assert house.rows("shopper", *(c.name for c in schema.shopper.columns)) == before
    assert house.rows("person_access", "who", "purpose", "shopper_id") == [
        (WHO, "erasure", 1),
        (WHO, "erasure", None),
        (WHO, "erasure", None),
    ]


STEPS: list[tuple[Any, str]] = [
    (Traces, "words"),
    (erasures, "suppress"),
    (access_report, "note"),
    (redis_footprint, "drop_texts"),
    (erasures, "not_begun"),
    (Traces, "give_to"),
    (Traces, "forget"),
    (redis_footprint, "drop_pins"),
    (redis_footprint, "drop_parts"),
    (erasures, "end"),
    (scrub, "database"),
    (scrub, "append_only_file"),
]


@pytest.mark.parametrize(("where", "name"), STEPS, ids=[name for _, name in STEPS])
async def test_after_a_crash_it_is_done_again(
    lived: House, monkeypatch: pytest.MonkeyPatch, where: Any, name: str
) -> None:
    house = lived
    await live(house)
    house.drain()
    index, before = house.vault.index(ANNA).encode(), sums(house)
    (anna,) = sealed_numbers(house)
    with monkeypatch.context() as patched:
        patched.setattr(where, name, killed(getattr(where, name)))
        with pytest.raises(KeyboardInterrupt):
            erase(ANNA, tools(house))

    erase(ANNA, tools(house))

    assert found_in_files(house, index, anna) == []
    assert [place for place in found_in_redis(house, index) if "results" not in place] == []
    assert house.waiting_answers() == []
    assert sums(house) == before
    assert len(house.rows("shopper", "id")) == 1
    assert {key for (key,) in house.rows("erasure", "key")} == {None}
    assert DeadLetters(house.redis, 1).replay() == 1
    house.drain()
    assert sums(house)["activation"] == before["activation"] + 1
    assert len(house.rows("shopper", "id")) == 1


def killed(done: Callable[..., Any]) -> Callable[..., Any]:
    """A step after which the process is killed."""

    def step(*args: Any, **kwargs: Any) -> Any:
        done(*args, **kwargs)
        raise KeyboardInterrupt

    return step


async def test_a_text_that_nobody_can_settle_stops_it_before_anything_has_changed(lived: House) -> None:
    house = lived
    await house.text("balance")
    other = Outbox(house.redis, 1)
    assert other.lease("a worker that stands still")

    with pytest.raises(StillWaiting):
        erase(ANNA, tools(house, wait_s=0.3))

    assert house.rows("shopper", "id") == []
    assert house.names("*:limits:*") != []
    other.release("a worker that stands still")
    assert erase(ANNA, tools(house)).known


async def test_an_answer_that_is_on_its_way_to_its_queue_is_waited_for(
    lived: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker has settled a text just before the row became nobody's, and ends it just after."""
    house = lived
    await house.text("balance")
    settled: list[Any] = []
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "end_behind", lambda _, done: settled.extend(done))
        house.drain()
    worker = Outbox(house.redis, 1)
    assert worker.lease("worker")
    looks, look = iter(("before", "after")), Traces.waiting

    def waiting(self: Traces) -> Any:
        now = next(looks, "later")
        found = {} if now == "before" else look(self)
        if now == "after":
            assert found == {1: [settled[0][1].message_id]}
            worker.end(settled)
        return found

    monkeypatch.setattr(Traces, "waiting", waiting)
    erase(ANNA, tools(house))
    worker.end(settled)  # no sooner than here, if nobody has waited for it

    assert house.waiting_answers() == []
    assert len(house.rows("shopper", "id")) == 1


async def test_beside_a_worker_and_texts_nothing_is_lost_and_no_old_row_comes_back(lived: House) -> None:
    """She texts a code after the other while she is erased, again and again."""
    house = lived
    house.limits = house.limits.model_copy(update={"messages_per_minute": 10_000})
    store, codes = house.claims(), house.codes(1, 60)
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            house.drain()

    worker = threading.Thread(target=work)
    worker.start()
    erased = []
    try:
        for n, code in enumerate(codes):
            await house.text(code, store=store)
            if n % 6 == 5:
                known = erase(ANNA, tools(house)).known
                erased.append((known, max(row[0] for row in house.rows("activation", "id"))))
    finally:
        stop.set()
        worker.join()
    house.drain()

    owners = [owner for _, owner in sorted(house.rows("activation", "serial", "shopper_id"))]
    assert len(owners) == len(codes)
    assert owners == sorted(owners)  # once somebody is nobody, nothing more is credited to them
    assert len(set(owners)) == 10
    assert all(is_nobody(key) for (key,) in house.rows("shopper", "key"))
    assert sum(p for (p,) in house.rows("balance", "points")) == 10 * len(codes)
    assert house.waiting_answers() == []
    assert found_in_redis(house, house.vault.index(ANNA).encode()) == []


async def test_parts_of_others_and_texts_being_decided_stay(lived: House) -> None:
    house = lived
    keeper = PartKeeper(house.store.redis, house.vault, timeout_s=60)
    now = time.time()
    await keeper.put([part(BOHDAN)], now)
    first = part(ANNA)
    await keeper.put([first, replace(first, number=2)], now)  # whole, and its text is being decided
    ended_ = replace(first, reference=8)
    await keeper.put([ended_, replace(ended_, number=2)], now)
    await keeper.end([ended_])
    house.redis.hset(keys.parts("broken"), "p1", b"what nobody can open")

    assert erase(ANNA, tools(house)).long_texts == 1
    assert await keeper.waiting() == 2


@pytest.mark.only_on("sqlite")
async def test_a_trace_in_an_old_page_is_found_and_goes(lived: House) -> None:
    house = lived
    await house.text("balance")
    house.drain()
    index = house.vault.index(ANNA)
    with database.writing(house.engine) as connection:  # as an earlier version, or a split page, has left it
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("CREATE TABLE old (key TEXT)")
        connection.exec_driver_sql("INSERT INTO old VALUES (?)", (index * 200,))
    with database.writing(house.engine) as connection:
        connection.exec_driver_sql("PRAGMA secure_delete=OFF")
        connection.exec_driver_sql("DROP TABLE old")
    scrub._folded(house.engine)
    assert found_in_files(house, (index * 2).encode()) == ["undercap.db"]

    assert erase(ANNA, tools(house)).database is Scrubbed.CLEAN
    assert found_in_files(house, index.encode()) == []


@pytest.mark.only_on("sqlite")
async def test_a_reader_of_what_was_before_is_told(lived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house = lived
    await house.text("balance")
    house.drain()
    monkeypatch.setattr(scrub, "BUSY_WAIT_S", 0.2)
    with house.engine.connect() as reader:
        reader.execute(select(func.count()).select_from(schema.shopper)).all()
        reader_sees = erase(ANNA, tools(house)).database

    assert reader_sees is Scrubbed.REMAINS
    assert erase(ANNA, tools(house)).database is Scrubbed.CLEAN


async def test_a_refusal_of_one_channel_goes_on_to_hold_and_a_yes_does_not(lived: House) -> None:
    house = lived
    desk = house.consent_desk()
    for channel, consent in ((Channel.SMS, Consent.GIVEN), (Channel.CALL, Consent.WITHDRAWN)):
        change = Change(
            firm_id=1,
            number=ANNA,
            channels=(channel,),
            consent=consent,
            how="api",
            actor="firm 1",
            proof="form of Anna",
        )
        await desk.change(change)
    house.redis.set(keys.contacts("sms", house.vault.index(ANNA)), b"x" * 12)

    assert erase(ANNA, tools(house)).stops == 1
    stands = await desk.read(1, ANNA)
    assert [said.consent for said in stands.values()] == [Consent.NEVER, Consent.WITHDRAWN]
    assert {proof for (proof,) in house.rows("consent_entry", "proof")} == {None}
    assert not house.redis.exists(keys.contacts("sms", house.vault.index(ANNA)))
    house.redis.flushall()
    rebuilt(house)
    assert await desk.read(1, ANNA) == stands


async def test_whoever_refused_before_the_erasure_is_not_asked_as_a_new_person(lived: House) -> None:
    house = lived
    codes = house.codes(house.campaign(asks_consent=True), 2)
    await house.text("stop")
    house.drain()
    erase(ANNA, tools(house))
    before = house.rows("consent_ask", "shopper_id")
    await house.text(codes[0])
    house.drain()
    assert house.rows("consent_ask", "shopper_id") == before
    assert house.consent(ANNA) == "out"
