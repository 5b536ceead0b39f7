"""A shopper's phone: how what it sends is encoded, and what it shows of what it gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.peers.smsc import Submitted

UCS2: Final = 8
LONG: Final = 0x40  # esm_class: the body begins with a header
# In ASCII, but another character (or none) in the default alphabet of SMSCs.
_NOT_PLAIN: Final = frozenset("@$_[]{}^~\\|`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shopper:
    """Somebody with a phone. The number stays out of what a failing test prints."""

    number: str = field(repr=False)
    name: str


def encoded(text: str) -> tuple[bytes, int]:
    """A text as a phone's SMSC passes it on: octets and data_coding."""
    if text.isascii() and not _NOT_PLAIN & set(text):
        return text.encode("ascii"), 0
    return text.encode("utf-16-be"), UCS2


def ends_in(minutes: int, *, day: str) -> set[str]:
    """How an answer may tell the end of a limit that began within the last minute, in Kyiv.

    `day`: how the day is told, should it be another one. Never a minute that is too early: it is rounded up.
    """
    now = datetime.now(ZoneInfo("Europe/Kyiv"))
    latest = now + timedelta(minutes=minutes, seconds=59)
    ends = (latest, latest - timedelta(minutes=1))
    return {end.strftime("%H:%M" if end.date() == now.date() else f"{day} %H:%M") for end in ends}


def shown(submits: Sequence[Submitted]) -> list[str]:
    """Submits to one phone as the texts that it shows; each must be in the encoding that fits it.

    smpp34 tells of submits that came in one read in any order, so parts are put together by their reference.
    """
    texts: dict[object, list[Submitted]] = {}
    for number, submit in enumerate(submits):
        texts.setdefault(("long", submit.body[3]) if submit.esm_class == LONG else number, []).append(submit)
    return [
        joined(parts) if parts[0].esm_class == LONG else _decoded(parts[0].body, parts[0].data_coding)
        for parts in texts.values()
    ]


def joined(parts: Sequence[Submitted]) -> str:
    """The text of one long answer from its parts, in the order of their headers (UDH, IE 0x00)."""
    heads = {tuple(part.body[:5]) for part in parts}
    reference = parts[0].body[3]
    assert heads == {(5, 0, 3, reference, len(parts))}
    assert {part.esm_class for part in parts} == {LONG}
    assert {part.body[5] for part in parts} == set(range(1, len(parts) + 1))
    (coding,) = {part.data_coding for part in parts}
    return _decoded(b"".join(part.body[6:] for part in sorted(parts, key=lambda p: p.body[5])), coding)


def _decoded(body: bytes, coding: int) -> str:
    text = body.decode("utf-16-be" if coding == UCS2 else "ascii")
    assert coding == (0 if text.isascii() else UCS2)
    return text
