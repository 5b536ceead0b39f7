"""Consent that changes by no text: by channel, a no at once, a yes only with its record; and lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.consent.consent_file import Line
from gateway.domain.consent.word import IN_ORDER, Channel, Consent
from gateway.domain.policy.basis import Basis
from gateway.store.consent.redis_words import ConsentWords, Put
from gateway.store.redis import keys
from gateway.store.texts.sendqueue import Sent
from gateway.usecases.consent.consents import BeforeStop, Change, ConsentDesk
from gateway.usecases.consent.import_consents import Imported, Source, import_lines
from gateway.usecases.people import person
from gateway.usecases.people.person import Inquiry
from tests.integration.gateway.usecases.operations.test_rebuild import rebuild
from tests.integration.house import ANNA, BOHDAN, LINK, House
from tests.offers import put_offers

GIVEN, WITHDRAWN = Consent.GIVEN, Consent.WITHDRAWN
SOURCE = Source(firm_id=1, how="paper form", wording="Yes, offers by SMS", actor="operator test")


def change(consent: Consent, channels: Sequence[Channel] = IN_ORDER, **changes: Any) -> Change:
    values: dict[str, Any] = {
        "firm_id": 1,
        "number": ANNA,
        "channels": tuple(channels),
        "consent": consent,
        "how": "api",
        "actor": "firm 1",
        "wording": "Offers?",
        "proof": "form 1",
    }
    return Change(**(values | changes))


def word(house: House, number: str = ANNA) -> str:
    found: Any = house.redis.get(keys.consent(1, house.vault.index(number)))
    return found.decode() if found else ""


def states(house: House) -> list[tuple[Any, ...]]:
    return house.rows("consent_entry", "channel", "state", "how")


@pytest.fixture
def house(house: House) -> House:
    house.firm()
    house.campaign()
    return house


async def test_a_yes_and_a_no_by_channel(house: House) -> None:
    desk = house.consent_desk()
    stands = await desk.change(change(GIVEN))
    assert [said.consent for said in stands.values()] == [GIVEN, GIVEN]
    stands = await desk.change(change(WITHDRAWN, [Channel.CALL]))
    assert [said.consent for said in stands.values()] == [GIVEN, WITHDRAWN]
    assert states(house) == [
        ("sms", "given", "api"),
        ("call", "given", "api"),
        ("call", "withdrawn", "api"),
    ]
    before = word(house)
    rebuild(house)
    assert word(house) == before

    await house.text("STOP")
    assert [said.consent for said in (await desk.read(1, ANNA)).values()] == [WITHDRAWN, WITHDRAWN]


async def test_a_stop_is_no_repetition_where_one_channel_stands_otherwise(house: House) -> None:
    await house.text("STOP")
    await house.consent_desk().change(change(GIVEN, [Channel.CALL]))
    await house.text("STOP")  # within the time in which the same text is one that was sent again
    assert [said.consent for said in (await house.consent_desk().read(1, ANNA)).values()] == [WITHDRAWN] * 2


async def test_a_yes_of_before_the_no_changes_nothing(house: House) -> None:
    desk = house.consent_desk()
    await desk.change(change(WITHDRAWN, [Channel.SMS]))
    with pytest.raises(BeforeStop):
        await desk.change(change(GIVEN, said_at=1_700_000_000_000))
    assert word(house).startswith("out:")
    assert [state for _, state, _ in states(house)] == ["withdrawn"]


async def test_the_same_source_again_is_the_same_yes(house: House) -> None:
    """A page that repeats its request must not undo a STOP that came in between."""
    desk = house.consent_desk()
    await desk.change(change(GIVEN, source="w1"))
    await house.text("STOP")
    with pytest.raises(BeforeStop):
        await desk.change(change(GIVEN, source="w1", said_at=1))
    stands = await desk.change(change(GIVEN, source="w1"))
    assert {said.consent for said in stands.values()} == {WITHDRAWN}


class NoSql:
    """In the place of an engine."""

    def __getattr__(self, name: str) -> Any:
        raise SQLAlchemyError(name)


async def test_without_sql_a_no_is_in_force_and_a_yes_is_not(house: House) -> None:
    words = house.consent_desk().words
    desk = ConsentDesk(engine=NoSql(), vault=house.vault, words=words)  # type: ignore[arg-type]
    with pytest.raises(SQLAlchemyError):
        await desk.change(change(GIVEN))
    assert word(house) == ""
    with pytest.raises(SQLAlchemyError):
        await desk.change(change(WITHDRAWN))
    assert word(house).startswith("out:")


async def test_without_redis_a_yes_is_recorded_and_reaches_nobody(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise RedisError

    desk = house.consent_desk()
    monkeypatch.setattr(ConsentWords, "put", away)
    with pytest.raises(RedisError):
        await desk.change(change(WITHDRAWN))
    assert states(house) == []
    with pytest.raises(RedisError):
        await desk.change(change(GIVEN))
    assert (word(house), len(states(house))) == ("", 2)


@pytest.mark.parametrize(
    ("stands", "put", "after"),
    [
        ("", ("sms", "in", 5), "in:5|"),
        ("in:5", ("call", "out", 6), "in:5|out:6"),
        ("in:5|out:6", ("call", "in", 6), "in:5|out:6"),
        ("in:5|out:6", ("call", "in", 7), "in:5|in:7"),
        ("in:6|out:6", ("all", "out", 6), "out:6"),
        ("in:5", ("all", "out", 4), "in:5"),
        ("ask:5", ("all", "in", 4), "in:4"),
        ("out:1780000000000", ("all", "in", 999_999_999_999), "out:1780000000000"),
    ],
)
async def test_the_later_word_stands(
    house: House, stands: str, put: tuple[str, str, int], after: str
) -> None:
    key = keys.consent(1, "s")
    if stands:
        house.redis.set(key, stands)
    channel, said, at = put
    channels = IN_ORDER if channel == "all" else (Channel(channel),)
    consent = GIVEN if said == "in" else WITHDRAWN
    await house.consent_words().put(1, [Put("s", channels, consent, at)])
    found: Any = house.redis.get(key)
    assert found.decode() == after


def line(number: str, state: Consent, *channels: Channel, at: int = 1_700_000_000_000) -> Line:
    return Line(number=number, channels=channels or IN_ORDER, state=state, said_at=at, proof="7")


async def test_import_and_the_same_file_again(house: House) -> None:
    desk = house.consent_desk()
    lines = [line(ANNA, WITHDRAWN), line(BOHDAN, GIVEN, Channel.SMS)]
    assert await import_lines(lines, SOURCE, desk) == Imported(given=1, withdrawn=1)
    assert word(house).startswith("out:")
    assert word(house, BOHDAN) == "in:1700000000000|"
    rows = house.rows("consent_entry", "channel", "state", "how", "wording", "proof", "actor")
    assert rows[-1] == (*("sms", "given", "import", "Yes, offers by SMS", "paper form: 7", "operator test"),)
    words = word(house), word(house, BOHDAN)

    assert await import_lines(lines, SOURCE, desk) == Imported(known=2)
    assert (word(house), word(house, BOHDAN)) == words
    assert len(rows) == len(states(house))


async def test_refusals_win_over_consents_of_the_file_and_of_before(house: House) -> None:
    desk = house.consent_desk()
    await house.text("STOP", BOHDAN)
    lines = [line(ANNA, GIVEN), line(ANNA, WITHDRAWN, Channel.CALL), line(BOHDAN, GIVEN)]
    done = await import_lines(lines, SOURCE, desk)
    assert done == Imported(withdrawn=1, overruled=2)
    assert word(house).startswith("|out:")
    assert word(house, BOHDAN).startswith("out:")


async def test_a_list_of_refusals_wins_over_an_older_yes_and_not_over_a_later_start(house: House) -> None:
    desk = house.consent_desk()
    await house.text("START")
    await import_lines([line(ANNA, WITHDRAWN)], SOURCE, desk)
    assert word(house).startswith("out:")
    house.forget_texts()
    await house.text("START")
    await import_lines([line(ANNA, WITHDRAWN)], SOURCE, desk)  # the same list once more
    assert word(house).startswith("in:")


async def test_a_crash_before_redis_heard_of_a_list_is_mended_by_the_list(house: House) -> None:
    desk = house.consent_desk()
    await import_lines([line(ANNA, WITHDRAWN)], SOURCE, desk)
    before = word(house)
    house.redis.delete(keys.consent(1, house.vault.index(ANNA)))
    await import_lines([line(ANNA, WITHDRAWN)], SOURCE, desk)
    assert word(house) == before


async def test_why_was_this_person_contacted(house: House) -> None:
    await house.text("START")
    house.drain()
    shopper = house.vault.index(ANNA)
    said_at = house.rows("consent_entry", "said_at")[0][0]
    (id_,) = put_offers(house.redis, house.vault, LINK, [ANNA], "offer")
    queue = house.send_queue()
    waiting = (await queue.take(1, 2))[-1]
    assert (waiting.shopper, waiting.blast) == (shopper, "7")
    basis = Basis(shopper, "7", Channel.SMS, GIVEN, said_at, "ua", said_at + 5)
    await queue.file([Sent(waiting, "accepted", "id", None, said_at + 9, basis=basis)])
    house.drain()

    asked = Inquiry(who="olha", purpose=person.WHY)
    found = person.held(ANNA, asked, house.engine, house.vault)
    assert found is not None
    (reached,) = found.reached
    assert (reached.contact.id, reached.contact.blast, reached.contact.state) == (id_, "7", "accepted")
    assert reached.consent is not None
    assert (reached.consent.how, reached.consent.state) == ("sms", GIVEN)
    assert person.held(ANNA, replace(asked, firm_id=2), house.engine, house.vault) is None
    assert person.held(BOHDAN, asked, house.engine, house.vault) is None
