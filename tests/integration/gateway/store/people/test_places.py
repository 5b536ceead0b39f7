"""Wherever a person stands in a gateway that has lived, the list of places says so, and nothing is left."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from config import policies
from gateway.domain.consent.word import Channel, Consent
from gateway.domain.offers.callee import Callee
from gateway.domain.policy.basis import Basis
from gateway.store.calls.slots import CallSlots, Limits, Wanted
from gateway.store.calls.spool import Kind, Wish, WishBook
from gateway.store.consent.gate import GateStore
from gateway.store.offers.requested_texts import AskedOffers
from gateway.store.people import erasures, sealed_values
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.spool import Spool
from gateway.store.redis.suspects import NONE
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.store.vault import places
from gateway.store.vault.places import End, Place
from gateway.store.vault.vault import Vault
from gateway.usecases.consent.consents import Change
from gateway.usecases.consent.gate import Gate, Question
from gateway.usecases.firms.set_up import Refused
from gateway.usecases.people.erase import erase
from gateway.usecases.vault.reseal import reseal
from gateway.usecases.vault.rotate import retire
from tests.acceptance.secret_forms import Search, Secret
from tests.acceptance.secret_places import files, redis_places, sql_places
from tests.integration.campaigns.market import NOON, Market
from tests.integration.gateway.usecases.people.test_erase import killed, live, tools
from tests.integration.gateway.usecases.vault.vault_scene import keys_file, process, rotated
from tests.integration.house import ANNA, BOHDAN, LINK, MASTER, SHORT, House, ended

CAROL: Final = "380631112233"
PROOF: Final = "the form that Anna Kovalenko has signed"


class Recording(Vault):
    """Remembers what it has sealed: for what, what, and the sealed octets."""

    def __init__(self) -> None:
        super().__init__(MASTER)
        self.sealed: list[tuple[str, bytes, bytes]] = []

    def seal(self, purpose: str, clear: bytes) -> bytes:
        made = super().seal(purpose, clear)
        self.sealed.append((purpose, clear, made))
        return made


@pytest.fixture
async def lived(house: House, monkeypatch: pytest.MonkeyPatch) -> Market:
    """A market in which people stand wherever a gateway keeps anything of them."""
    house.vault = Recording()
    market = Market(house)
    (code,) = house.codes(market.campaign, 1)
    await house.text(code)
    await house.text("start")
    house.drain()
    blast = market.launched()
    market.fan_out(blast)
    await live(house)
    await prove(house)
    await be_called(market, blast.id)
    await erased_before(house, monkeypatch)
    await wait_to_be_settled(market)
    return market


async def wait_to_be_settled(market: Market) -> None:
    """An offer has left, what became of one was laid aside, a receipt has come, and another offer waits."""
    house = market.house
    market.fan_out(market.launched(market.audience("again")))
    offers = [w for w in await market.take() if w.blast]
    basis = Basis(house.vault.index(ANNA), "1", Channel.SMS, Consent.GIVEN, 1, "UA", NOON)
    await house.send_queue().file([ended(w)._replace(basis=basis) for w in offers])
    results = Spool(house.redis, keys.results_spool(1))
    for row in results.next(1):
        results.failed(row.id, "a test", NONE, others_pass=True)
        house.redis.xadd(keys.results(1), dict[Any, Any](row.fields))
    market.fan_out(market.launched(market.audience("once more")))
    receipt = FiledReceipt("id-1", "delivered", None, NOON, house.vault.index(ANNA))
    await ReceiptLog(DurableRedis(house.client)).add(LINK, [receipt])


async def prove(house: House) -> None:
    """A firm tells of a consent, and what shows it."""
    change = Change(
        firm_id=1,
        number=ANNA,
        channels=tuple(Channel),
        consent=Consent.GIVEN,
        how="api",
        actor="firm 1",
        proof=PROOF,
        wording="Yes to offers",
        said_at=int(time.time() * 1000),
    )
    await house.consent_desk().change(change)


def callee(market: Market, blast: int, number: str = ANNA) -> Callee:
    """Somebody who is called."""
    ids = {key: id_ for id_, key in market.house.rows("shopper", "id", "key")}
    return Callee(
        shopper_id=ids[market.house.vault.index(number)],
        number=number,
        firm_id=1,
        blast_id=blast,
        short_number=SHORT,
        language="en",
    )


async def be_called(market: Market, blast: int) -> None:
    """A call lives, of which the gate was asked; two wishes of it wait on disk."""
    house, redis = market.house, DurableRedis(market.house.client)
    index = house.vault.index(ANNA)
    wanted = Wanted("call-1", index, blast, Limits(10, 10.0), 60.0)
    await CallSlots(redis, Limits(10, 10.0)).take([wanted])
    asked = Question(
        contact="call-1", firm_id=1, shopper=index, number=ANNA, blast=str(blast), channel=Channel.CALL
    )
    ahead = NOON // 1000 - int(time.time())
    store = GateStore(redis, deployment=house.deployment, verify=house._verify, offset_s=ahead)
    await Gate(store, policies.load()).ask([asked])
    book(house).keep(Wish(kind=Kind.SEND, callee=callee(market, blast), at=int(time.time() * 1000)))


def book(house: House) -> WishBook:
    """As the process has it that makes calls."""
    found = WishBook(house.state / places.WISHES.folder, house.vault)
    found.open()
    return found


async def erased_before(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bohdan was erased after a STOP; the erasure of Carol was killed before its end."""
    for number, said in ((BOHDAN, "stop"), (CAROL, "help")):
        await house.text(said, number)
    settled_by_erasure = tools(house)
    erase(BOHDAN, settled_by_erasure)
    with monkeypatch.context() as patched:
        patched.setattr(erasures, "end", killed(lambda *_: None))
        with pytest.raises(KeyboardInterrupt):
            erase(CAROL, settled_by_erasure)
    await live(house)  # what Anna had waiting was settled meanwhile


# What stands where


def everything(house: House) -> Iterator[tuple[str, Place | None, bytes]]:
    """All keys, columns and files but the database's: how it is told, which place it is, its octets."""
    for told, octets in redis_places(house.redis):
        if told.startswith("Redis key "):
            yield told, places.of_key(told.removeprefix("Redis key ")), octets
    columns = {f"SQL {place.column}": place for place in places.SQL}
    for told, octets in sql_places(house.engine):
        yield told, columns.get(told), octets
    for told, octets in files(house.state):
        folder = told.removeprefix("file ").partition("/")[0]
        if not folder.startswith("undercap.db"):
            yield told, next((place for place in places.DISK if place.folder == folder), None), octets


def found(house: House, looks: Callable[[Place | None, bytes], bool]) -> set[str]:
    """Where it `looks` like somebody: names of places, and of what is no place."""
    return {
        place.name if place else told for told, place, octets in everything(house) if looks(place, octets)
    }


def index_of(house: House, *numbers: str) -> Callable[[Place | None, bytes], bool]:
    wanted = [house.vault.index(number).encode() for number in numbers]
    return lambda _, octets: any(index in octets for index in wanted)


def sealed_of(house: House, number: str) -> Callable[[Place | None, bytes], bool]:
    """A value with the number that was sealed for whatever it is, as it is or in text."""
    assert isinstance(house.vault, Recording)
    national = ("0" + number[3:]).encode()
    theirs = [
        (purpose, form)
        for purpose, clear, made in house.vault.sealed
        if number.encode() in clear or national in clear
        for form in (made, base64.b64encode(made), base64.urlsafe_b64encode(made), made.hex().encode())
    ]

    def looks(place: Place | None, octets: bytes) -> bool:
        purposes = {purpose for purpose, form in theirs if form in octets}
        if place is not None and purposes:
            assert purposes == {place.sealed}, place.name
        return bool(purposes)

    return looks


def names(of: Callable[[Place], object]) -> set[str]:
    return {place.name for place in places.everywhere() if of(place)}


async def test_people_stand_where_the_list_says_and_nowhere_else(lived: Market) -> None:
    """A new table, key or file with somebody in it fails here until it is on the list."""
    house = lived.house
    assert found(house, index_of(house, ANNA, BOHDAN, CAROL)) == names(lambda p: p.index)
    assert found(house, sealed_of(house, ANNA)) == names(lambda p: p.sealed)
    assert found(house, lambda _, octets: PROOF.encode() in octets) == {"proofs of consent"}
    secrets = [Secret(name="Anna", text=ANNA, is_number=True)]
    in_clear = Search(secrets).find_all((told, octets) for told, _, octets in everything(house))
    assert in_clear == []


async def test_an_erasure_leaves_nothing_in_any_place(lived: Market) -> None:
    house = lived.house
    done = erase(ANNA, tools(house))
    assert (done.known, done.wishes, done.unreadable, done.stops) == (True, 1, 0, 0)

    soon = names(lambda p: p.end is End.SOON)
    assert found(house, index_of(house, ANNA)) <= soon
    assert found(house, sealed_of(house, ANNA)) == set()
    assert found(house, lambda _, octets: PROOF.encode() in octets) == set()
    assert found(house, index_of(house, BOHDAN)) == names(lambda p: p.end is End.STOP)
    house.drain()
    house.redis.delete(keys.called_person(house.vault.index(ANNA)))  # the call ends
    assert found(house, index_of(house, ANNA)) - {"receipts to settle"} == set()


# Wishes


async def test_a_refusal_that_waits_on_disk_goes_on_to_hold(lived: Market) -> None:
    house = lived.house
    house.firm("bolt")
    house.campaign("bolt")
    at = int(time.time() * 1000) + 1
    dialer = book(house)
    dialer.keep(Wish(kind=Kind.REFUSE, callee=callee(lived, 1), at=at))

    assert erase(ANNA, tools(house)).stops == 2
    assert [house.consent(ANNA, firm) for firm in (1, 2)] == ["out", "out"]
    assert list(dialer.waiting()) == []  # the process that kept it does it no more: nobody new is entered
    assert erase(ANNA, tools(house)).wishes == 0


async def test_what_another_machine_keeps_for_whoever_was_erased_is_not_sent(lived: Market) -> None:
    house, blast = lived.house, 1
    theirs = callee(lived, blast)
    erase(ANNA, tools(house))
    before = house.rows("message", "id")
    await AskedOffers(DurableRedis(house.client), house.engine, house.vault).put(theirs, LINK, "an offer")
    assert house.rows("message", "id") == before
    assert house.waiting_answers() == []


async def test_a_wish_that_nobody_can_open_is_told(lived: Market) -> None:
    house = lived.house
    folder = house.state / places.WISHES.folder
    (folder / "odd.wish").write_text("bm8=")
    (folder / "bare.wish").write_text("no base64")
    assert erase(ANNA, tools(house)).unreadable == 2


async def test_what_rests_is_sealed_anew_everywhere_and_no_key_ends_before(
    lived: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.vault.vault.LOOK_EVERY_S", 0.0)
    house = lived.house
    rotated(house)
    house.vault = process(house)
    wishes = book(house)
    ((name, wish), *_) = wishes.waiting()
    wishes.done(name)
    wishes.keep(wish)  # sealed under generation 1
    rotated(house)
    with pytest.raises(Refused, match=r"1 values are sealed under generation 1 \(wishes of callees\)"):
        retire(1, house.engine, house.redis, keys_file(house), house.state)

    assert reseal(house.engine, house.redis, process(house), house.state)["broken"] == 0
    retire(1, house.engine, house.redis, keys_file(house), house.state)
    with house.engine.connect() as connection:
        counted: dict[str, Any] = dict(sealed_values.in_sql(connection, [2]))
    counted |= {**sealed_values.in_redis(house.redis), **sealed_values.on_disk(house.state)}
    resting = {name: +counted[name] for name in names(lambda p: p.rests)}
    assert {name: set(generations) for name, generations in resting.items()} == {
        name: {2} for name in resting
    }
    assert [w.callee.number for _, w in book(house).waiting()] == [ANNA]


async def test_a_wish_that_is_done_while_it_is_sealed_anew_does_not_come_back(
    lived: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, dialer = lived.house, book(lived.house)
    ((name, _),) = dialer.waiting()
    rotated(house)
    vault = process(house)
    opened = vault.open

    def meanwhile(purpose: str, sealed: bytes, counted_for: str = "") -> bytes:
        dialer.done(name)
        return opened(purpose, sealed, counted_for)

    monkeypatch.setattr(vault, "open", meanwhile)
    reseal(house.engine, house.redis, vault, house.state)
    assert files_of(house) == []


def files_of(house: House) -> list[str]:
    return [told for told, _ in files(house.state / places.WISHES.folder)]
