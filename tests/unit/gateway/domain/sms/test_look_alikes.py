"""Look-alikes: what is replaced, never a letter, and only where it saves something."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sms import gsm, look_alikes
from gateway.domain.sms.data_coding import decode_body
from gateway.domain.sms.segments import Segments, count, split


def shown(segments: Segments) -> str:
    return decode_body(b"".join(segments.parts), segments.data_coding)


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        pytest.param("“Hooray” – it’s yours…", '"Hooray" - it\'s yours...', id="quotes, dash, ellipsis"),
        pytest.param("«Cola» ‹new›", "\"Cola\" 'new'", id="angle quotes"),
        pytest.param("10\u00a0000\u202fpoints\u2009!", "10 000 points !", id="spaces of other widths"),
        pytest.param("a\u200bb\u00adc\ufeff", "abc", id="invisible marks"),
        pytest.param("a\tb", "a b", id="tabulator"),
        pytest.param("it`s", "it's", id="backtick"),
        pytest.param("cafe\u0301", "café", id="an accent that stands by itself"),
        pytest.param("• one\u2028• two", "* one\n* two", id="a list"),
        pytest.param("3 × 10", "3 x 10", id="times"),
    ],
)
def test_a_text_is_brought_into_gsm(text: str, sent: str) -> None:
    replaced = split(text, plain=True)
    assert ("gsm7", sent) == (replaced.encoding, shown(replaced))
    assert ("ucs2", text) == ((kept := split(text)).encoding, shown(kept))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("“Ура” – ваш код…", id="another script keeps its quotes"),
        pytest.param("…" * 70, id="it would cost a segment more"),
        pytest.param("“Hooray” 🎉", id="an emoji is there anyway"),
        pytest.param("«Õ» and “ç”", id="a letter that GSM lacks"),
    ],
)
def test_nothing_is_changed_for_nothing(text: str) -> None:
    assert text == shown(split(text, plain=True))


def test_marks_that_nobody_sees_go_if_that_saves_a_segment() -> None:
    text = "«Прийнято» " + "я" * 59
    assert len(text) == 70
    assert text == shown(split(text + "\u200b", plain=True))
    assert shown(split("и\u0306" + "я" * 69, plain=True)) == "й" + "я" * 69


def test_a_link_in_latin1_gets_the_plain_twins_too() -> None:
    replaced = split("«Été» – ok", default_alphabet="latin1", plain=True)
    assert (replaced.encoding, replaced.data_coding) == ("gsm7", 0)
    assert replaced.parts[0].decode("latin-1") == '"Ét' + 'é" - ok'


def test_only_signs_are_replaced_and_by_what_gsm_has() -> None:
    kinds = {unicodedata.category(chr(sign))[0] for sign in look_alikes.REPLACEMENTS}
    assert kinds <= {"P", "S", "Z", "C"}  # no letter (L), mark (M) or number (N)
    for sign, plain in look_alikes.REPLACEMENTS.items():
        assert gsm.encode(chr(sign)) is None, f"U+{sign:04x} needs no twin"
        assert plain is None or gsm.encode(plain) is not None


SIGNS = st.sampled_from([chr(sign) for sign in look_alikes.REPLACEMENTS])
ANY = st.text(st.sampled_from("abcé @€[я🎉\u0301") | SIGNS, max_size=400)


@given(ANY)
def test_it_never_costs_more(text: str) -> None:
    replaced, kept = split(text, plain=True), split(text)
    assert len(replaced.parts) <= len(kept.parts)
    assert count(text, plain=True) == len(replaced.parts)
    better = len(replaced.parts) < len(kept.parts) or replaced.encoding != kept.encoding
    assert better == (replaced != kept)


@given(ANY)
def test_letters_stay_in_their_order(text: str) -> None:
    def letters(of: str) -> str:
        return "".join(c for c in unicodedata.normalize("NFC", of) if c.isalnum() and c != "x")

    assert letters(text) == letters(shown(split(text, plain=True)))
