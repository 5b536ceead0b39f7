"""What data_coding says of a body: every value, a link's own meanings, and any octets at all."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import link_settings
from gateway.domain.sms import gsm
from gateway.domain.sms.data_coding import Alphabet, alphabet_of, decode_body

ALPHABETS = get_args(Alphabet)


def test_the_settings_know_the_same_alphabets() -> None:
    assert get_args(link_settings.Alphabet) == ALPHABETS


@pytest.mark.parametrize(
    ("data_codings", "alphabet"),
    [
        pytest.param([0x00], "latin1", id="the SMSC's default, here Latin-1"),
        pytest.param([0x01], "ascii", id="IA5"),
        pytest.param([0x02, 0x04], "binary", id="8-bit binary"),
        pytest.param([0x03], "latin1", id="Latin-1"),
        pytest.param([0x06], "iso8859-5", id="Cyrillic"),
        pytest.param([0x07], "iso8859-8", id="Hebrew"),
        pytest.param([0x08], "ucs2", id="UCS-2"),
        pytest.param([0x05, *range(0x09, 0x10)], "latin1", id="Japanese and reserved: like the default"),
        pytest.param(range(0x10, 0x14), "gsm7", id="general, with a class, GSM"),
        pytest.param(range(0x14, 0x18), "binary", id="general, with a class, 8-bit"),
        pytest.param(range(0x18, 0x1C), "ucs2", id="general, with a class, UCS-2"),
        pytest.param(range(0x1C, 0x20), "latin1", id="general, reserved alphabet"),
        pytest.param(range(0x20, 0x40), "latin1", id="general, compressed"),
        pytest.param(range(0x40, 0x44), "gsm7", id="to be deleted, GSM"),
        pytest.param(range(0x44, 0x48), "binary", id="to be deleted, 8-bit"),
        pytest.param([*range(0x48, 0x4C), *range(0x58, 0x5C)], "ucs2", id="to be deleted, UCS-2"),
        pytest.param(range(0x60, 0x80), "latin1", id="to be deleted, compressed"),
        pytest.param(range(0x80, 0xC0), "latin1", id="reserved groups"),
        pytest.param(range(0xC0, 0xE0), "gsm7", id="message waiting"),
        pytest.param(range(0xE0, 0xF0), "ucs2", id="message waiting, UCS-2"),
        pytest.param([*range(0xF0, 0xF4), *range(0xF8, 0xFC)], "gsm7", id="message class, GSM"),
        pytest.param([*range(0xF4, 0xF8), *range(0xFC, 0x100)], "binary", id="message class, 8-bit"),
    ],
)
def test_alphabet(data_codings: list[int], alphabet: str) -> None:
    """SMPP 3.4, 5.2.19; TS 23.038, 4. The link's default is Latin-1, so that it shows where it is used."""
    assert {alphabet} == {alphabet_of(coding, "latin1") for coding in data_codings}


@pytest.mark.parametrize(
    ("body", "data_coding", "text"),
    [
        pytest.param(b"\x1b\x65 \x00", 0x00, "€ @", id="GSM with an extension"),
        pytest.param(b"\xe9", 0x03, "é", id="Latin-1"),
        pytest.param(b"a\xe9", 0x01, "a\ufffd", id="ASCII with another octet"),
        pytest.param(b"@$_", 0x01, "@$_", id="ASCII is not GSM"),
        pytest.param(b"\xba\xde\xd4 \xf0", 0x06, "Код №", id="ISO-8859-5"),
        pytest.param("код🎉".encode("utf-16-be"), 0x08, "код🎉", id="UCS-2 with a surrogate pair"),
        pytest.param("код".encode("utf-16-le"), 0x08, "код", id="UCS-2, little endian without a mark"),
        pytest.param(b"\xff\xfe" + "код".encode("utf-16-le"), 0x08, "код", id="UCS-2 with a mark"),
        pytest.param(b"\x04\x3a\x04", 0x08, "к\ufffd", id="UCS-2 of odd length"),
        pytest.param(b"\x04", 0x08, "\ufffd", id="UCS-2 of one octet"),
        pytest.param(b"\xd8\x3c\x00a", 0x08, "\ufffda", id="UCS-2 with half a pair"),
        pytest.param("к".encode("utf-16-be"), 0x19, "к", id="class 1, UCS-2"),
        pytest.param(b"\x00", 0xF1, "@", id="class 1, GSM"),
        pytest.param(b"CODE 1", 0x04, "CODE 1", id="plain text marked as binary"),
        pytest.param("код".encode(), 0xF5, "код", id="UTF-8 marked as 8-bit data"),
        pytest.param(b"\xff\x00\xe9", 0x02, "ÿ\0é", id="binary that is no text"),
        pytest.param(b"", 0x08, "", id="nothing"),
    ],
)
def test_decode_body(body: bytes, data_coding: int, text: str) -> None:
    assert text == decode_body(body, data_coding)


OVERRIDES: dict[int, Alphabet] = {0: "latin1", 3: "ucs2", 8: "utf8", 0xF1: "iso8859-5"}


@pytest.mark.parametrize(
    ("body", "data_coding", "text"),
    [
        pytest.param(b"\xe9", 0, "é", id="default"),
        pytest.param("код".encode("utf-16-be"), 3, "код", id="UCS-2 by another number"),
        pytest.param("код".encode(), 8, "код", id="UTF-8 as UCS-2"),
        pytest.param(b"\xba", 0xF1, "К", id="a class coding"),
        pytest.param(b"\x00", 0xF0, "@", id="what is not overridden"),
    ],
)
def test_a_link_may_mean_something_else(body: bytes, data_coding: int, text: str) -> None:
    assert text == decode_body(body, data_coding, "gsm7", OVERRIDES)


@given(
    st.binary(max_size=300),
    st.integers(0, 255),
    st.sampled_from(ALPHABETS),
    st.dictionaries(st.integers(0, 255), st.sampled_from(ALPHABETS), max_size=4),
)
def test_any_body_of_any_coding_is_read(
    body: bytes, data_coding: int, default: Alphabet, overrides: dict[int, Alphabet]
) -> None:
    text = decode_body(body, data_coding, default, overrides)
    text.encode()  # no lone surrogate comes out, which could not be stored
    assert len(text) <= len(body)


@given(st.text(st.sampled_from([c for s in range(128) if (c := gsm.decode(bytes([s]))) != " "] + ["€"])))
def test_gsm_is_read_as_it_was_written(text: str) -> None:
    body = gsm.encode(text)
    assert body is not None
    assert {text} == {decode_body(body, coding, "ascii") for coding in (0x10, 0xC0, 0xF0, 0xF1)}


UCS2, LITTLE = "utf-16-be", "utf-16-le"


@pytest.mark.parametrize("data_coding", [0x00, 0x01, 0x03, 0x08, 0xF1])
@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("СТОП", UCS2),
        ("СТОП", LITTLE),
        ("Код 4821-3345-12345", UCS2),
        ("4821-3345-12345", LITTLE),
        ("«Тоқта» – №5 😀", UCS2),
        ("STOP", "ascii"),
        ("4821-3345-12345", "ascii"),
        ("СТОП мене", "utf-8"),
        ("Відпишіть мене", "cp1251"),
        ("СТОП", "cp1251"),
        ("СТОП", "utf-16"),
    ],
)
def test_a_body_says_its_coding_where_the_header_is_wrong(data_coding: int, text: str, codec: str) -> None:
    assert decode_body(text.encode(codec), data_coding) == text


@pytest.mark.parametrize(
    ("body", "data_coding", "text"),
    [
        pytest.param(
            gsm.encode("è@ ciao, è @") or b"", 0x00, "è@ ciao, è @", id="GSM with its signs at 0 and 4"
        ),
        pytest.param(gsm.encode("ΔΦΓΛ") or b"", 0x00, "ΔΦΓΛ", id="GSM's Greek"),
        pytest.param(b"caf\xe9 Stra\xdfe", 0x03, "café Straße", id="Latin-1"),
        pytest.param(b"caf\xe9 Stra\xdfe", 0x00, "café Straße", id="Latin-1 under the default"),
        pytest.param("你好我是".encode(UCS2), 0x08, "你好我是", id="Chinese"),
        pytest.param("გამარჯობა".encode(UCS2), 0x08, "გამარჯობა", id="Georgian"),
        pytest.param("Բարև".encode(UCS2), 0x08, "Բարև", id="Armenian"),
        pytest.param("😀😀".encode(UCS2), 0x08, "😀😀", id="emoji alone"),
        pytest.param(b"\x00\x31", 0x00, "@1", id="too short to say anything"),
    ],
)
def test_a_header_that_makes_sense_is_right(body: bytes, data_coding: int, text: str) -> None:
    assert decode_body(body, data_coding) == text
