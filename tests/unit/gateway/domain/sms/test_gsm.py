"""GSM 03.38 as octets: the tables, the traps, the round trip."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sms import gsm

BASIC = [s for s in range(0x80) if s != gsm.ESCAPE]
GSM_TEXT = st.text(st.sampled_from([gsm.decode(bytes([s])) for s in BASIC] + sorted(gsm.EXTENDED)))


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param("@", "00", id="at"),
        pytest.param("§", "5f", id="section sign is in the table"),
        pytest.param("`", None, id="backtick is not"),
        pytest.param("€", "1b65", id="euro costs two"),
        pytest.param("^{}\\[~]|\f", "1b141b281b291b2f1b3c1b3d1b3e1b401b0a", id="the whole extension"),
        pytest.param("Ç", "09", id="C with cedilla"),
        pytest.param("ç", None, id="its small form is not in the table"),
        pytest.param("à", "7f", id="the last septet"),
        pytest.param("_", "11", id="underscore"),
        pytest.param("¡¿", "4060", id="inverted marks"),
        pytest.param("\n\r", "0a0d", id="line feed, carriage return"),
        pytest.param("Δ", "10", id="greek delta"),
        pytest.param("Α", None, id="greek alpha is not the letter A"),
        pytest.param("код", None, id="cyrillic"),
        pytest.param("\x1b", None, id="an escape is no text"),
        pytest.param("\ud800", None, id="lone surrogate"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_encode(text: str, octets: str | None) -> None:
    encoded = gsm.encode(text)
    assert octets == (None if encoded is None else encoded.hex())


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        pytest.param("60", "¿", id="0x60 is no backtick"),
        pytest.param("1b65", "€", id="euro"),
        pytest.param("1b41", "A", id="unknown extension shows the basic character"),
        pytest.param("411b", "A ", id="escape at the end"),
        pytest.param("1b1b41", " A", id="escape of an escape"),
        pytest.param("41ff42", "A\ufffdB", id="octet above 0x7f"),
        pytest.param("1bff", "\ufffd", id="escape of such an octet"),
    ],
)
def test_decode(octets: str, text: str) -> None:
    assert text == gsm.decode(bytes.fromhex(octets))


def test_tables_are_whole() -> None:
    characters = {gsm.decode(bytes([septet])) for septet in BASIC}
    assert len(characters) == 127
    assert not characters & gsm.EXTENDED


@given(GSM_TEXT)
def test_round_trip(text: str) -> None:
    encoded = gsm.encode(text)
    assert encoded is not None
    assert text == gsm.decode(encoded)


@given(st.binary())
def test_decode_is_total(body: bytes) -> None:
    gsm.decode(body)
