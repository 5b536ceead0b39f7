"""In which language a shopper is answered: that of the text, else what the shopper has told before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gateway.store.points.ledger import Standing
from gateway.store.texts.outbox import Accepted

OWN = "sms"  # a firm, or a page's default, does not speak for the shopper; a call keeps its choice itself
_KEYWORDS = "en"  # their words are typed by people of every language


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """`texts`: in their order, each with the language that it is answered in, as far as it is known.

    `told`: what is to be kept: shopper id -> language, and when (ms) it was told.
    """

    texts: list[Accepted]
    told: Mapping[int, tuple[str, int]]


def spoken(accepted: Sequence[Accepted], shoppers: Mapping[str, Standing]) -> Spoken:
    """The languages of a batch. `shoppers`: by key, as they stand."""
    known = {key: (stands.language, stands.language_at) for key, stands in shoppers.items()}
    told: dict[int, tuple[str, int]] = {}
    texts: list[Accepted] = []
    for text in accepted:
        before, since = known[text.shopper]
        if text.language and tells(text, before) and text.at >= since:
            known[text.shopper] = text.language, text.at
            if text.language != before:
                told[shoppers[text.shopper].id] = text.language, text.at
        texts.append(text if text.language else text._replace(language=known[text.shopper][0]))
    return Spoken(texts=texts, told=told)


def tells(text: Accepted, before: str | None) -> bool:
    """Whether a text tells its shopper's language: HELP and BALANCE in English do not."""
    if text.channel != OWN:
        return False
    return text.language != _KEYWORDS or (before is None and not text.services)
