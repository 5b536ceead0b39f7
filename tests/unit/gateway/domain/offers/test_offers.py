"""What is pure about blasts: names of shoppers, ids, draws, states, words, and when it would be done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns.preflight.forecast import HOUR_MS, Load, forecast
from gateway.domain.offers import blast, offer
from gateway.domain.offers.audience import prefix_of
from gateway.domain.offers.blast import ENDED, State, Word
from gateway.domain.offers.offer import Facts, Setting, Template
from gateway.domain.offers.offer_ids import batch_range, offer_id, read_offer_id
from gateway.domain.offers.sample import PRIME, below, draw_of
from gateway.domain.people.reference import reference_of, shopper_of
from gateway.domain.sms.message_id import message_id

KEY = "0f" * 32
SETTING = Setting(campaign="Caps", firm="Cola", timezone="Europe/Kyiv")
ids = st.integers(min_value=1, max_value=2**40 - 1)


@given(ids)
def test_a_reference_leads_back_to_its_shopper_as_typed(shopper: int) -> None:
    said = reference_of(shopper, KEY)
    assert shopper_of(said, KEY) == shopper
    assert shopper_of(f" {said[:4].upper()}-{said[4:8]}-{said[8:]} ", KEY) == shopper
    assert shopper_of(said, "0e" * 32) != shopper


@given(st.text(max_size=14))
def test_what_is_no_reference_is_nobodys(said: str) -> None:
    found = shopper_of(said, KEY)
    assert found is None or reference_of(found, KEY) == shopper_of_form(said)


def shopper_of_form(said: str) -> str:
    """A reference as it is written by us."""
    bare = "".join(said.split()).replace("-", "").lower()
    return bare.translate(str.maketrans("ilo", "110"))


@given(st.integers(1, 0xFFFFFF), st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1), st.integers(1, 10**9))
def test_an_offers_id_says_whose_it_is(number: int, batch: int, place: int, firm: int) -> None:
    id_ = offer_id(number, batch, place, firm=firm)
    assert read_offer_id(id_) == (number, batch, place)
    first, behind = batch_range(number, batch, firm=firm)
    assert batch == 2**32 - 1 or first <= id_ < behind or place == 0


@given(st.integers(1_100_000_000_000, 2_199_000_000_000), st.binary(min_size=6, max_size=6))
def test_no_answers_id_is_read_as_an_offers(at: int, random: bytes) -> None:
    assert read_offer_id(f"{message_id(at, random)}.1") is None


def test_shares_of_a_draw_are_shares_of_people() -> None:
    draw = draw_of(bytes(range(16)))
    drawn = [id_ for id_ in range(1, 10_001) if draw.place(id_) < below(200_000)]
    assert 1_900 < len(drawn) < 2_100
    assert all(0 <= draw.place(id_) < PRIME for id_ in (1, 2**31, 2**32 - 1))
    other = draw_of(bytes(range(1, 17)))
    assert drawn != [id_ for id_ in range(1, 10_001) if other.place(id_) < below(200_000)]


def test_what_has_ended_stays_so() -> None:
    """But for a deletion, which the store allows where nothing of it ever began."""
    words = [word for word in Word if word is not Word.DELETE]
    assert {blast.after(state, word) for state in ENDED for word in words} == {None}
    assert {blast.after(State.DELETED, word) for word in Word} == {None}
    assert blast.after(State.FINISHED, Word.DELETE) is None


TURNS = [
    (State.DRAFT, Word.LAUNCH, State.RUNNING),
    (State.DRAFT, Word.PAUSE, None),
    (State.DRAFT, Word.RESUME, None),
    (State.DRAFT, Word.CANCEL, State.CANCELLED),
    (State.SCHEDULED, Word.LAUNCH, State.RUNNING),
    (State.SCHEDULED, Word.PAUSE, State.PAUSED),
    (State.RUNNING, Word.PAUSE, State.PAUSED),
    (State.RUNNING, Word.LAUNCH, None),
    (State.PAUSED, Word.RESUME, State.RUNNING),
    (State.PAUSED, Word.FINISH, None),
    (State.PAUSED, Word.EXPIRE, State.EXPIRED),
]


@pytest.mark.parametrize(("state", "word", "becomes"), TURNS)
def test_turns(state: State, word: Word, becomes: State | None) -> None:
    assert blast.after(state, word) is becomes


OPT_OUTS = {
    "the placeholder": ("{opt_out}", "en", True),
    "a word in capitals": ("Reply STOP", "en", True),
    "one of the language": ("Відмова: СТОП", "uk", True),
    "of another language": ("Reply ТОҚТА", "en", False),
    "a word of the sentence": ("Please stop by", "en", False),
    "nothing": ("Come in", "en", False),
}


@pytest.mark.parametrize(("words", "language", "says"), OPT_OUTS.values(), ids=OPT_OUTS)
def test_ways_to_refuse(words: str, language: str, *, says: bool) -> None:
    assert offer.says_opt_out(words, language) is says


def test_the_text_is_in_the_shoppers_language_or_the_fallback() -> None:
    template = Template(words={"uk": "{codes}, {first}, {campaign}", "en": "{points}"}, fallback="en")
    facts = Facts(points=1, codes=2, first=1_767_225_600_000)
    assert offer.render(template, "uk", facts, SETTING) == "2 коди, 01.01.2026, Caps"
    assert offer.render(template, "kk", facts, SETTING) == "1 point"
    assert offer.render(template, None, facts, SETTING) == "1 point"


def test_so_much_of_a_number_is_kept_that_it_stays_unknown() -> None:
    for size in range(8, 16):
        number = "380671234567890"[:size]
        assert number.startswith(prefix_of(number))
        assert len(number) - len(prefix_of(number)) >= 7


def load(texts: int, **changes: float) -> Load:
    values = {"segments": 1.0, "per_s": 1.0, "spread_s": 0, "starts_at": 0, "expires_at": 100 * HOUR_MS}
    return Load(texts=texts, **(values | changes))  # type: ignore[arg-type]


def test_when_it_would_be_done() -> None:
    def always(at: int) -> list[bool]:
        del at
        return [True]

    def by_day(at: int) -> list[bool]:
        return [at // HOUR_MS % 24 < 12] * 3

    assert forecast(load(1800), always).finishes_at == HOUR_MS // 2
    assert forecast(load(1800, segments=2.0), always).finishes_at == HOUR_MS
    assert forecast(load(1800, spread_s=7200), always).finishes_at == 2 * HOUR_MS
    assert forecast(load(13 * 3600), by_day).finishes_at == 25 * HOUR_MS
    late = forecast(load(100 * 3600), by_day)
    assert (late.finishes_at, late.unreached) == (None, 48 * 3600)


def test_who_is_reached_is_done_with_and_the_others_wait_for_their_hour() -> None:
    """Three of four are open now, the fourth from the tenth hour on: it is not done after one hour."""

    def openings(at: int) -> list[bool]:
        return [True, True, True, at >= 10 * HOUR_MS]

    assert forecast(load(40), openings).finishes_at == 10 * HOUR_MS + 10_000
    never = forecast(load(40), lambda _: [True, True, True, False])
    assert (never.finishes_at, never.unreached) == (None, 10)
    slow = forecast(load(4 * 3600), openings)  # three hours for those, one for the last
    assert slow.finishes_at == 11 * HOUR_MS
