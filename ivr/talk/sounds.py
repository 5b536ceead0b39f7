"""Digits and numbers as the recorded pieces that say them, in each language's grammar. Pure.

A sound is named LANGUAGE/NAME, as its file stands in the directory of sounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from babel import Locale

from config.prompts import PAUSE
from gateway.domain.people.alias import groups as alias_groups

Sounds = tuple[str, ...]
_BILLION: Final = 10**9


def sounds(language: str, names: Iterable[str]) -> Sounds:
    """The sounds of prompts.

    >>> sounds("uk", ["greeting", "menu"])
    ('uk/greeting', 'uk/menu')
    """
    return tuple(f"{language}/{name}" for name in names)


def digits(text: str) -> list[str]:
    """The prompts for digits, one by one; what is no digit is left out.

    >>> digits("40-40")
    ['n4', 'n0', 'n4', 'n0']
    """
    return [f"n{digit}" for digit in text if digit in "0123456789"]


def groups(alias: str) -> list[str]:
    """The prompts for an alias, in the groups in which it is written.

    >>> groups("123456789")
    ['n1', 'n2', 'n3', 'pause', 'n4', 'n5', 'n6', 'pause', 'n7', 'n8', 'n9']
    """
    said: list[str] = []
    for group in alias_groups(alias):
        said += [PAUSE] if said else []
        said += digits(group)
    return said


def number(value: int, language: str) -> list[str]:
    """The prompts for a whole number as it is counted; from a billion on, digit by digit.

    >>> number(-21_302, "uk")
    ['minus', 'n20', 'thousands1', 'thousand_one', 'n300', 'n2']
    """
    sign = ["minus"] if value < 0 else []
    value = abs(value)
    if value == 0 or value >= _BILLION:
        return sign + digits(str(value))
    millions, rest = divmod(value, 1_000_000)
    thousands, units = divmod(rest, 1000)
    said = sign
    if millions:
        said += [*_below_thousand(millions), f"million_{_form(millions, language)}"]
    if thousands:
        said += [*_feminine(_below_thousand(thousands)), f"thousand_{_form(thousands, language)}"]
    return said + list(_below_thousand(units))


def _below_thousand(value: int) -> Iterator[str]:
    hundreds, rest = divmod(value, 100)
    if hundreds:
        yield f"n{hundreds}00"
    if 0 < rest < 20:
        yield f"n{rest}"
    elif rest:
        yield f"n{rest // 10}0"
        if rest % 10:
            yield f"n{rest % 10}"


def _feminine(said: Iterable[str]) -> Iterator[str]:
    """Of thousands: "одна тисяча", "две тысячи"; languages without gender record the same words again."""
    forms = {"n1": "thousands1", "n2": "thousands2"}
    return (forms.get(piece, piece) for piece in said)


@lru_cache(maxsize=4096)
def _form(count: int, language: str) -> str:
    """The plural form of "thousand" or "million" after a count (Unicode CLDR's rules)."""
    form = str(Locale.parse(language).plural_form(count))
    return form if form in ("one", "few") else "many"
