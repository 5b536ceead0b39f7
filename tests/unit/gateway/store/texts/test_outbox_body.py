"""What stands in an outbox entry is read back as it was written; anything else is Unreadable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.codes.catalog import Issued
from gateway.store.texts.outbox import Unreadable, body, parse
from gateway.store.texts.sendqueue import parse_results

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_", max_size=22)
CODES = st.lists(st.tuples(*[st.integers(1, 2**40)] * 3), max_size=100)


@given(
    WORD,
    WORD,
    st.none() | st.sampled_from(["uk", "ru", "kk", "en"]),
    st.lists(WORD.filter(bool), max_size=3),
    CODES,
    st.integers(0, 100),
    st.binary(max_size=60),
    st.sampled_from(["", "out", "in"]),
)
def test_round_trip(
    word: str,
    link: str,
    language: str | None,
    services: list[str],
    codes: list[tuple[int, int, int]],
    wrong: int,
    number: bytes,
    consent: str,
) -> None:
    written = body(
        message_id=word,
        shopper=word,
        digest=word,
        link=link,
        short_number="4040",
        channel="sms",
        language=language,
        services=services,
        consent=consent,
        wrong=wrong,
        codes=[Issued(space, serial, 1, 1, campaign, 1) for space, serial, campaign in codes],
        number=number,
    )

    read = parse(7, b"1700000000123-4", fields_of(written))

    assert (read.firm_id, read.outbox_id, read.at) == (7, "1700000000123-4", 1_700_000_000_123)
    assert (word, word, word, link) == (read.message_id, read.shopper, read.digest, read.link)
    assert (language, tuple(services), consent) == (read.language, read.services, read.consent)
    assert (tuple(codes), wrong, number) == (read.codes, read.wrong, read.number)


def fields_of(written: bytes, **changes: bytes) -> dict[bytes, bytes]:
    fields = {b"b": written, b"r": b"C1,R", b"l": b"0", b"q": b"0", b"w": b"2"}
    return fields | {name.encode(): value for name, value in changes.items()}


GOOD = b"1|m|s|d|peer|4040|sms|uk|help|out|0|1:2:3|sealed|with|bars"
STRANGE = [
    pytest.param({b"b": GOOD}, id="fields missing"),
    pytest.param(fields_of(b""), id="empty"),
    pytest.param(fields_of(b"2" + GOOD[1:]), id="another form"),
    pytest.param(fields_of(b"|".join(GOOD.split(b"|")[:12])), id="no number"),
    pytest.param(fields_of(GOOD.replace(b"1:2:3", b"1:2")), id="half a claim"),
    pytest.param(fields_of(GOOD.replace(b"1:2:3", b"a:b:c")), id="claim in letters"),
    pytest.param(fields_of(GOOD, l=b""), id="no limit"),
    pytest.param(fields_of(GOOD, w=b"x"), id="wrong codes in letters"),
]


@pytest.mark.parametrize("fields", STRANGE)
def test_unreadable(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(Unreadable, match="1-0"):
        parse(1, b"1-0", fields)


def test_good_one_is_readable() -> None:
    read = parse(1, b"1-0", fields_of(GOOD))

    assert (read.number, read.results, read.counted_wrong) == (b"sealed|with|bars", ("C1", "R"), 2)


@given(st.dictionaries(st.sampled_from([b"b", b"r", b"l", b"q", b"w"]), st.binary(max_size=80)))
def test_total(fields: dict[bytes, bytes]) -> None:
    """Whatever stands there, it is read or Unreadable, and nothing else is raised."""
    try:
        parse(1, b"1-0", fields)
    except Unreadable:
        return


def test_results_of_several_lines() -> None:
    found: Any = parse_results(b"m1|accepted|1||5|a|id|with|bars\nm2|failed|2|0xb|6|b|z\0x|y\0\0z")

    assert [tuple(result) for result in found] == [
        ("m1", "accepted", 1, None, 5, "a", "id|with|bars", (), 0, None),
        ("m2", "failed", 2, "0xb", 6, "b", "z", ("x|y", "", "z"), 0, None),
    ]
