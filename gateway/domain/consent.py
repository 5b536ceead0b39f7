"""What a person has said about marketing: given, withdrawn or never asked; and the word that is kept.

The word is what Redis keeps for a shopper at a firm, so that the gate reads one value:

    in:<ms> or out:<ms>       said of all channels, then
    <sms>|<call>              said of each by itself; empty where nothing was said of it
    ask:<ms>                  asked, and not answered yet; nothing else was ever said

Channels differ only after an API call, an import or a page; a text or a key speaks of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Channel(StrEnum):
    """By what marketing reaches a person."""

    SMS = "sms"
    CALL = "call"


class Purpose(StrEnum):
    """What a consent is for. Replies to a person's own text are none of these, and need none."""

    MARKETING = "marketing"


class Consent(StrEnum):
    """How a channel stands."""

    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    NEVER = "never asked"


class Said(NamedTuple):
    """A person's last word. `at`: ms since 1970; of a yes and a no in the same millisecond the no counts."""

    consent: Consent
    at: int


NOTHING: Final = Said(Consent.NEVER, 0)
_WORDS: Final = {"in": Consent.GIVEN, "out": Consent.WITHDRAWN}
_NAMES: Final = {consent: word for word, consent in _WORDS.items()}
IN_ORDER: Final = (Channel.SMS, Channel.CALL)


def read_word(word: str) -> dict[Channel, Said]:
    """What a word says of each channel. Raises ValueError for what is none."""
    if not word or word.startswith("ask:"):
        return dict.fromkeys(IN_ORDER, NOTHING)
    parts = word.split("|")
    if len(parts) == 1:
        parts *= len(IN_ORDER)
    return {channel: _said(part) for channel, part in zip(IN_ORDER, parts, strict=True)}


def word_of(said: Mapping[Channel, Said]) -> str:
    """The word that says this, as short as can be; empty when nothing was said.

    >>> word_of({Channel.SMS: Said(Consent.GIVEN, 5), Channel.CALL: Said(Consent.GIVEN, 5)})
    'in:5'
    >>> word_of({Channel.CALL: Said(Consent.WITHDRAWN, 7)})
    '|out:7'
    """
    parts = [_part(said.get(channel, NOTHING)) for channel in IN_ORDER]
    return parts[0] if len(set(parts)) == 1 else "|".join(parts)


def later(one: Said, other: Said) -> Said:
    """The word that counts of two."""
    return max(one, other, key=lambda said: (said.at, said.consent is Consent.WITHDRAWN))


def _said(part: str) -> Said:
    if not part:
        return NOTHING
    word, _, at = part.partition(":")
    if word not in _WORDS:
        raise ValueError("no word of consent")
    return Said(_WORDS[word], int(at))


def _part(said: Said) -> str:
    return "" if said.consent is Consent.NEVER else f"{_NAMES[said.consent]}:{said.at}"
