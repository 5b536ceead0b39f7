"""Digits, aliases and numbers as pieces: held against how each language counts."""

from __future__ import annotations

import pytest

from config import prompts
from gateway.domain.people.alias import groups as written
from ivr.talk.sounds import digits, groups, number, sounds


@pytest.mark.parametrize(
    ("value", "language", "said"),
    [
        (0, "uk", "нуль"),
        (1, "uk", "один"),
        (19, "uk", "дев'ятнадцять"),
        (20, "uk", "двадцять"),
        (21, "uk", "двадцять один"),
        (100, "uk", "сто"),
        (999, "uk", "дев'ятсот дев'яносто дев'ять"),
        (1_000, "uk", "одна тисяча"),
        (2_002, "uk", "дві тисячі два"),
        (5_000, "uk", "п'ять тисяч"),
        (11_000, "uk", "одинадцять тисяч"),
        (21_000, "uk", "двадцять одна тисяча"),
        (112_000, "uk", "сто дванадцять тисяч"),
        (122_000, "uk", "сто двадцять дві тисячі"),
        (1_000_000, "uk", "один мільйон"),
        (2_000_001, "uk", "два мільйони один"),
        (-5, "uk", "мінус п'ять"),
        (1_001, "ru", "одна тысяча один"),
        (3_212, "ru", "три тысячи двести двенадцать"),
        (25_000_000, "ru", "двадцать пять миллионов"),
        (22_000_000, "ru", "двадцать два миллиона"),
        (999_000_999, "ru", "девятьсот девяносто девять миллионов девятьсот девяносто девять"),
        (1_000_000_000, "ru", "один" + " ноль" * 9),
        (11, "kk", "он бір"),
        (21, "kk", "жиырма бір"),
        (1_200, "kk", "бір мың екі жүз"),
        (2_000_000, "kk", "екі миллион"),
        (1, "en", "one"),
        (21_302, "en", "twenty one thousand three hundred two"),
        (1_000_000, "en", "one million"),
    ],
)  # fmt: skip
def test_numbers(value: int, language: str, said: str) -> None:
    texts = prompts.load(language)
    assert said == " ".join(texts[piece] for piece in number(value, language))


@pytest.mark.parametrize("alias", ["123456789", "1234567890", "123456789012"])
def test_an_alias_is_said_in_the_groups_in_which_it_is_written(alias: str) -> None:
    said = "".join(" " if piece == "pause" else piece.removeprefix("n") for piece in groups(alias))
    assert said == " ".join(written(alias))


def test_what_is_no_digit_is_not_said() -> None:
    assert digits("40 Cola٤") == ["n4", "n0"]


def test_a_sound_stands_in_its_language() -> None:
    assert sounds("kk", ("menu",)) == ("kk/menu",)
