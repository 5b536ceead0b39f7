"""The alphabets, the folding of what is typed, the printed form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.codes.alphabet import ALPHABETS, clean, groups, normalise, printed

LOOK_ALIKES = ["0OQ", "1IL", "5S", "8B", "2Z", "6G"]


@pytest.mark.parametrize("pair", LOOK_ALIKES)
def test_letters_have_no_two_look_alikes(pair: str) -> None:
    assert sum(symbol in ALPHABETS["letters"].symbols for symbol in pair) <= 1


@pytest.mark.parametrize("name", ["digits", "letters"])
def test_digits_stand_first(name: str) -> None:
    symbols = ALPHABETS[name].symbols
    assert symbols == "".join(sorted(set(symbols)))
    assert symbols[0].isdigit()
    assert ALPHABETS[name].radix == len(symbols)


@pytest.mark.parametrize(
    ("typed", "alphabet", "symbols"),
    [
        pytest.param("4821-3345-12345", "digits", "4821334512345", id="printed"),
        pytest.param("4821.3345 12345", "digits", "4821334512345", id="other separators"),
        pytest.param("OоО0lI|І", "digits", "00001111", id="shapes of 0 and 1"),
        pytest.param("Зз3", "digits", "333", id="shapes of 3"),
        pytest.param("٤٨۲१２", "digits", "48212", id="digits of four scripts"),
        pytest.param("4\u200b8\ufeff2\u00ad1", "digits", "4821", id="invisible characters"),
        pytest.param("4️⃣8️⃣", "digits", "48", id="keycaps"),
        pytest.param("7к3ас-dеfн9", "letters", "7K3ACDEFH9", id="mixed scripts, lower case"),
        pytest.param("ЗZz", "letters", "322", id="shapes of 3 and 2"),
        pytest.param("ҮүҺһ", "letters", "YYHH", id="kazakh twins"),
        pytest.param("ＡＣ７", "letters", "AC7", id="fullwidth"),
        pytest.param("7K3O", "letters", None, id="a letter that is not printed"),
        pytest.param("482x", "digits", None, id="a letter among digits"),
        pytest.param("", "digits", None, id="nothing"),
        pytest.param(" - ", "letters", None, id="separators alone"),
    ],
)
def test_normalise(typed: str, alphabet: str, symbols: str | None) -> None:
    assert symbols == normalise(typed, alphabet)


@given(st.text(), st.sampled_from(["digits", "letters"]))
def test_normalise_is_total_and_gives_symbols_or_none(typed: str, alphabet: str) -> None:
    symbols = normalise(typed, alphabet)
    assert symbols is None or set(symbols) <= set(ALPHABETS[alphabet].symbols)


@given(st.text())
def test_clean_twice_is_clean_once(text: str) -> None:
    assert clean(text) == clean(clean(text))


@given(st.integers(min_value=8, max_value=40))
def test_groups_are_of_three_to_five(length: int) -> None:
    sizes = groups(length)
    assert sum(sizes) == length
    assert set(sizes) <= {3, 4, 5}
    assert list(sizes) == sorted(sizes)


@pytest.mark.parametrize(
    ("symbols", "code"),
    [("4821334512345", "4821-3345-12345"), ("7K3ACDEFH9", "7K3AC-DEFH9"), ("12345678", "1234-5678")],
)
def test_printed(symbols: str, code: str) -> None:
    assert code == printed(symbols)
