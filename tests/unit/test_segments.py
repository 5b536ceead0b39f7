"""Segments: sizes at the borders, nothing cut in two, bodies decoded whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain import gsm, segments
from gateway.domain.segments import TooManyPartsError, count, decode_body, split

GSM_TEXT = st.text(st.sampled_from("abc @$€[]~^{}|\\\n"), max_size=700)
ANY_TEXT = st.text(st.sampled_from("абв 🎉€x\U0001f1fa\U0001f1e6"), max_size=700)


@pytest.mark.parametrize(
    ("text", "encoding", "sizes"),
    [
        pytest.param("", "gsm7", [0], id="empty"),
        pytest.param("a" * 160, "gsm7", [160], id="one full segment"),
        pytest.param("a" * 161, "gsm7", [153, 8], id="one character more"),
        pytest.param("€" * 80, "gsm7", [160], id="full of pairs"),
        pytest.param("a" * 159 + "€", "gsm7", [153, 8], id="a pair too much"),
        pytest.param("a" * 152 + "€" + "a" * 100, "gsm7", [152, 102], id="a pair at the border stays whole"),
        pytest.param("я" * 70, "ucs2", [140], id="one full segment, cyrillic"),
        pytest.param("я" * 71, "ucs2", [134, 8], id="one character more, cyrillic"),
        pytest.param("🎉" * 35, "ucs2", [140], id="full of surrogate pairs"),
        pytest.param("я" * 66 + "🎉" + "я" * 10, "ucs2", [132, 24], id="a surrogate pair at the border"),
        pytest.param("a`b", "ucs2", [6], id="backtick needs UCS-2"),
    ],
)
def test_split(text: str, encoding: str, sizes: list[int]) -> None:
    result = split(text)
    assert (encoding, sizes) == (result.encoding, [len(part) for part in result.parts])
    assert len(sizes) == count(text)


@given(GSM_TEXT | ANY_TEXT)
def test_parts_join_to_the_text(text: str) -> None:
    result = split(text)
    assert text == decode_body(b"".join(result.parts), result.data_coding, "gsm7")
    assert text == "".join(decode_body(part, result.data_coding, "gsm7") for part in result.parts)
    assert count(text) == len(result.parts)


@given(GSM_TEXT | ANY_TEXT)
def test_no_part_is_too_long(text: str) -> None:
    result = split(text)
    alone, each = (160, 153) if result.encoding == "gsm7" else (140, 134)
    limit = alone if len(result.parts) == 1 else each
    assert all(len(part) <= limit for part in result.parts)


@given(GSM_TEXT)
def test_latin1_link_sends_latin1_and_counts_septets(text: str) -> None:
    result = split(text, default_alphabet="latin1")
    if "€" in text:
        assert result.encoding == "ucs2"
    else:
        assert text == decode_body(b"".join(result.parts), result.data_coding, "latin1")
        assert count(text) == len(result.parts)


def test_lone_surrogate_is_replaced() -> None:
    assert split("\ud800я").parts == ("\ufffdя".encode("utf-16-be"),)


def test_more_than_255_parts_are_refused() -> None:
    assert len(split("a" * 153 * 255).parts) == 255
    with pytest.raises(TooManyPartsError):
        split("a" * (153 * 255 + 1))


@pytest.mark.parametrize(
    ("body", "data_coding", "default", "text"),
    [
        pytest.param(b"\x00", 0x00, "gsm7", "@", id="default, GSM"),
        pytest.param(b"\xe9", 0x00, "latin1", "é", id="default, Latin-1"),
        pytest.param(b"a\xe9", 0x00, "ascii", "a\ufffd", id="default, ASCII"),
        pytest.param(b"a\x00", 0x01, "gsm7", "a\x00", id="ASCII"),
        pytest.param(b"\xe9", 0x03, "gsm7", "é", id="Latin-1"),
        pytest.param(b"\xda\xde\xd4", 0x06, "gsm7", "код", id="ISO-8859-5"),
        pytest.param("код🎉".encode("utf-16-be"), 0x08, "gsm7", "код🎉", id="UCS-2 with surrogates"),
        pytest.param("код".encode("utf-16"), 0x08, "gsm7", "код", id="UCS-2 with a byte order mark"),
        pytest.param(b"\x04\x3a\x04", 0x08, "gsm7", "к\ufffd", id="UCS-2 with half a unit"),
        pytest.param(b"\xd8\x00\x00a", 0x08, "gsm7", "\ufffda", id="UCS-2 with half a pair"),
        pytest.param(b"\x00", 0xF1, "latin1", "@", id="message class, GSM"),
        pytest.param(b"\xe9", 0xF5, "gsm7", "é", id="message class, 8-bit"),
        pytest.param("я".encode("utf-16-be"), 0xE0, "gsm7", "я", id="waiting indication, UCS-2"),
        pytest.param(b"\x00", 0x77, "gsm7", "@", id="reserved, read as default"),
    ],
)
def test_decode_body(body: bytes, data_coding: int, default: str, text: str) -> None:
    assert text == decode_body(body, data_coding, default)


@given(st.binary(), st.integers(0, 255), st.sampled_from(["gsm7", "latin1", "ascii"]))
def test_decode_body_is_total(body: bytes, data_coding: int, default: str) -> None:
    decode_body(body, data_coding, default)


@given(GSM_TEXT)
def test_extension_characters_cost_two(text: str) -> None:
    septets = len(text) + sum(char in gsm.EXTENDED for char in text)
    body = gsm.encode(text)
    assert body is not None
    assert septets == len(body)
    assert (septets <= 160) == (len(segments.split(text).parts) == 1)
