"""What a person has said about marketing: given, withdrawn or never asked; and the word that is kept.

The word is what Redis keeps for a shopper at a firm, so that the gate reads one value:

    in:<ms> or out:<ms>       said of all channels, then
    <sms>|<call>              said of each by itself; empty where nothing was said of it
    out:<ms>+                 a STOP that took a yes with it: a START gives that back, and nothing else
    ask:<ms>                  asked, and not answered yet; nothing else was ever said

A STOP by text or key speaks of all channels, a START of those that a STOP took; where it took none, of texts.
Moments are the store's own (words.lua): a change is later than those before it, whatever a clock says.
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
    """A person's last word. `at`: ms since 1970; of a yes and a no in the same millisecond the no counts.

    `took`: it is a STOP that took a yes with it.
    """

    consent: Consent
    at: int
    took: bool = False


NOTHING: Final = Said(Consent.NEVER, 0)
_WORDS: Final = {"in": Consent.GIVEN, "out": Consent.WITHDRAWN}
_NAMES: Final = {consent: word for word, consent in _WORDS.items()}
IN_ORDER: Final = (Channel.SMS, Channel.CALL)
CLOCKS_DIFFER_MS: Final = 10_000  # by which the clocks of two machines may; in doubt the no counts
_STOPS: Final = frozenset({"sms", "call"})  # how a no comes that a START answers


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


def after(before: Said, state: Consent, at: int, how: str) -> Said:
    """What stands after one more entry, in the order of their times. `how`: as `consent_entry` has it."""
    had = before.consent is Consent.GIVEN or before.took
    return later(before, Said(state, at, state is Consent.WITHDRAWN and how in _STOPS and had))


def _said(part: str) -> Said:
    if not part:
        return NOTHING
    word, _, at = part.partition(":")
    took = word == "out" and at.endswith("+")
    if word not in _WORDS:
        raise ValueError("no word of consent")
    return Said(_WORDS[word], int(at.removesuffix("+") if took else at), took)


def _part(said: Said) -> str:
    if said.consent is Consent.NEVER:
        return ""
    return f"{_NAMES[said.consent]}:{said.at}{'+' if said.took else ''}"
