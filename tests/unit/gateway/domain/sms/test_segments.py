"""Segments: sizes at the borders, nothing cut in two, bodies decoded whatever they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sms import gsm, segments
from gateway.domain.sms.data_coding import decode_body
from gateway.domain.sms.segments import TooManyPartsError, count, split

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


@pytest.mark.parametrize(
    ("label", "char", "alphabet", "alone", "each"),
    [
        ("GSM 03.38, septets", "a", "gsm7", 160, 153),
        (
            "GSM 03.38 extension, septets",
            "€",
            "gsm7",
            160,
            152,
        ),  # a pair is not cut, so one septet stays free
        ("Latin-1 that the SMSC turns into GSM 03.38", "é", "latin1", 160, 153),
        ("ASCII that the SMSC turns into GSM 03.38", "a", "ascii", 160, 153),
        ("UCS-2, octets", "я", "gsm7", 140, 134),
        ("UCS-2 on a link whose data_coding 0 is something else", "a", "utf8", 140, 134),
        ("UCS-2 of surrogate pairs, octets", "🎉", "gsm7", 140, 132),  # of 134 octets two stay free
    ],
    ids=lambda value: value if isinstance(value, str) and len(value) > 10 else "",
)
def test_sizes(label: str, char: str, alphabet: str, alone: int, each: int) -> None:
    """TS 23.038 and 23.040, 9.2.3.24.1: 140 octets, 6 of them for the header of a part; 160/153, 70/67."""
    del label
    one = len(b"".join(split(char, default_alphabet=alphabet).parts))
    fits = alone // one
    assert [alone] == [len(part) for part in split(char * fits, default_alphabet=alphabet).parts]
    sizes = [len(part) for part in split(char * (fits * 3), default_alphabet=alphabet).parts]
    assert {each} == set(sizes[:-1])
    assert sizes[0] + one > (153 if alone == 160 else 134)
    assert len(split(char * (fits + 1), default_alphabet=alphabet).parts) == 2


@given(GSM_TEXT | ANY_TEXT, st.sampled_from(["gsm7", "latin1", "ascii", "ucs2"]))
def test_no_part_ends_inside_a_pair(text: str, alphabet: str) -> None:
    result = split(text, default_alphabet=alphabet)
    for part in result.parts:
        if result.encoding == "ucs2":
            assert len(part) % 2 == 0
            part.decode("utf-16-be")  # strict: half a pair is an error
        elif alphabet == "gsm7":
            assert not part.endswith(bytes((gsm.ESCAPE,)))


def test_ucs2_leaves_by_the_number_that_the_link_has_for_it() -> None:
    assert (split("я").data_coding, split("я", ucs2=0x18).data_coding) == (0x08, 0x18)
    assert split("a", ucs2=0x18).data_coding == 0x00


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


@given(GSM_TEXT)
def test_extension_characters_cost_two(text: str) -> None:
    septets = len(text) + sum(char in gsm.EXTENDED for char in text)
    body = gsm.encode(text)
    assert body is not None
    assert septets == len(body)
    assert (septets <= 160) == (len(segments.split(text).parts) == 1)
