"""Ids of the texts of blasts: which blast, which batch of it, which text of the batch.

They have the form of any text's id, and never meet one: ids of other texts begin with their time in
milliseconds, whose first octet is 1 since 2004 and until 2039.

>>> offer_id(7, 2, 5, firm=3)
'000000070000000200000005.3'
"""

from __future__ import annotations

from typing import Final, NamedTuple

MOST_BLASTS: Final = 0xFFFFFF
_EIGHT: Final = 8


class OfferText(NamedTuple):
    """What an id says. `batch` from 1, `place` in it from 0."""

    blast: int
    batch: int
    place: int


def offer_id(blast: int, batch: int, place: int, *, firm: int) -> str:
    """The id of a text. Raises ValueError for a blast beyond MOST_BLASTS."""
    if not 0 < blast <= MOST_BLASTS:
        raise ValueError(f"no ids for blast {blast}")
    return f"{blast:08x}{batch:08x}{place:08x}.{firm}"


def read_offer_id(message_id: str) -> OfferText | None:
    """What the id of a text says; None where it is of no blast.

    >>> read_offer_id("0199c82cc000000000000000.1") is None
    True
    """
    if not message_id.startswith("00"):
        return None
    digits = message_id.partition(".")[0]
    blast, batch, place = (int(digits[at : at + _EIGHT], 16) for at in range(0, 3 * _EIGHT, _EIGHT))
    return OfferText(blast, batch, place)


def asked_id(blast: int, shopper: int, *, firm: int) -> str:
    """The id of the text that a shopper has asked for in a blast's call: there is one. Raises ValueError.

    It is a reply, and no text of the blast: it begins with f0, as the id of no other text does.

    >>> asked_id(7, 9, firm=3)
    'f00000070000000000000009.3'
    """
    if not (0 < blast <= MOST_BLASTS and 0 < shopper < 1 << 64):
        raise ValueError(f"no ids for blast {blast}")
    return f"f0{blast:06x}{shopper:016x}.{firm}"


def asked_range(blast: int) -> tuple[str, str]:
    """The first id of the texts that were asked for in a blast's calls, and one behind the last."""
    return f"f0{blast:06x}", f"f0{blast + 1:06x}"


def batch_range(blast: int, batch: int, *, firm: int) -> tuple[str, str]:
    """The first id of a batch, and one behind its last."""
    return offer_id(blast, batch, 0, firm=firm), f"{blast:08x}{batch + 1:08x}"
