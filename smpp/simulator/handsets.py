"""The phones on the page: who holds them, and the words their holders would type."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Handset:
    """One virtual phone. `number` is E.164 without the plus, as an SMSC writes it."""

    key: str
    holder: str
    place: str
    language: str  # BCP 47, for the page's lang attribute
    number: str
    shown_number: str
    words: tuple[str, ...]  # what the quick buttons text


# Made-up subscribers: the zeros are nobody's, and 202-555-01xx is reserved for fiction.
HANDSETS = (
    Handset(
        key="olena",
        holder="Olena",
        place="Ukraine",
        language="uk",
        number="380500000001",
        shown_number="+380 50 000 0001",
        words=("БАЛАНС", "ПСЕВДОНІМ", "ДОПОМОГА", "СТОП", "СТАРТ"),
    ),
    Handset(
        key="aigerim",
        holder="Aigerim",
        place="Kazakhstan",
        language="kk",
        number="77010000001",
        shown_number="+7 701 000 0001",
        words=("БАЛАНС", "ALIAS", "КӨМЕК", "ТОҚТА", "СТАРТ"),
    ),
    Handset(
        key="dmitry",
        holder="Dmitry",
        place="Russia",
        language="ru",
        number="79000000001",
        shown_number="+7 900 000-00-01",
        words=("БАЛАНС", "ПСЕВДОНИМ", "ПОМОЩЬ", "СТОП", "СТАРТ"),
    ),
    Handset(
        key="grace",
        holder="Grace",
        place="USA",
        language="en",
        number="12025550143",
        shown_number="+1 202-555-0143",
        words=("BALANCE", "ALIAS", "HELP", "STOP", "START"),
    ),
)


def by_number(number: str) -> Handset | None:
    """The handset with this number, written with or without the plus; None if it is none of ours."""
    digits = number.removeprefix("+")
    return next((handset for handset in HANDSETS if handset.number == digits), None)


def by_key(key: str) -> Handset | None:
    """The handset that the page calls `key`."""
    return next((handset for handset in HANDSETS if handset.key == key), None)
