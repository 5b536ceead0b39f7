"""How long the answers of a wording can become: its sentences with the largest numbers and longest dates.

Checked when a campaign is set up, so that nobody finds out from the operator's bill.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import Final

from config.texts import NOUNS, SENTENCES, Wording
from gateway.domain.people.alias import groups
from gateway.domain.sms import gsm, look_alikes
from gateway.domain.sms.segments import count

MOST_BALANCE: Final = 999_999_999
MOST_CODES: Final = 100  # of one text, whatever the settings allow
MOST_SHORT_NUMBER: Final = 15  # digits
_PIN: Final = "9" * 6
# What a text with several codes is answered with: what came of them, and the balance.
_CREDITED: Final = ("several.activated", "several.balance")


@dataclass(frozen=True, slots=True, kw_only=True)
class TooLong:
    """An answer over the limit. `keys`: its sentences. `example`: how it reads at its longest.

    `outside`: the characters of it that GSM 03.38 has not, because of which a segment holds 67 and not 153.
    """

    keys: tuple[str, ...]
    segments: int
    example: str
    outside: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """The largest that an answer may have to tell. `campaign`: its name. `points`: for one code.

    `asks_consent`: confirmations may end with the question for consent.
    """

    campaign: str
    points: int
    asks_consent: bool = False


def too_long(words: Wording, extremes: Extremes, *, most: int, plain: bool) -> list[TooLong]:
    """The answers with words of the campaign's own that can take more than `most` segments.

    A sentence is an answer by itself; what tells of several codes stands together: credited ones, others, and
    the balance. `plain`: look-alikes are replaced on every link, see `segments.split`. Of answers with
    the same own words only the longest is told.
    """
    changed = _changed(words)
    found: dict[frozenset[str], TooLong] = {}
    for keys in _answers(asks_consent=extremes.asks_consent):
        own = changed & frozenset[str]().union(keys, *(SENTENCES[key].intersection(NOUNS) for key in keys))
        if not own:
            continue
        needed, example = max(
            ((count(text, plain=plain), text) for text in _longest(keys, words, extremes)),
            key=lambda pair: (pair[0], len(pair[1])),
        )
        known = found.get(own)
        if needed > most and (known is None or len(known.example) < len(example)):
            outside = _outside(example, plain=plain)
            found[own] = TooLong(keys=keys, segments=needed, example=example, outside=outside)
    return list(found.values())


def _answers(*, asks_consent: bool) -> Iterator[tuple[str, ...]]:
    question = ("ask_consent",) if asks_consent else ()
    for key in SENTENCES:
        if key == "activated":
            yield (key, *question)
        elif not key.startswith("several."):
            yield (key,)
        elif key not in _CREDITED:
            yield (_CREDITED[0], key, _CREDITED[1], *question)


def _changed(words: Wording) -> frozenset[str]:
    """Sentences and nouns that are not the house's."""
    sentences, nouns = words.plain.sentences, words.plain.nouns
    changed = {key for key, sentence in words.sentences.items() if sentence != sentences[key]}
    return frozenset(changed).union(noun for noun in NOUNS if words.nouns[noun] != nouns[noun])


def _longest(keys: tuple[str, ...], words: Wording, extremes: Extremes) -> Iterator[str]:
    """The forms in which it may be the longest: plurals and months differ in length and in alphabet."""
    values = _values(words, extremes, several=keys[0] in _CREDITED)
    sentences = [words.sentences[key] for key in keys]
    if keys == ("balance",):
        values["points"] = _forms(words, "points", MOST_BALANCE)
    used = sorted({name for s in sentences for _, name, _, _ in string.Formatter().parse(s) if name})
    for chosen in product(*(values[name] for name in used)):
        filled = dict(zip(used, chosen, strict=True))
        yield " ".join(sentence.format_map(filled) for sentence in sentences)


def _values(words: Wording, extremes: Extremes, *, several: bool) -> dict[str, tuple[str, ...]]:
    return {
        "points": _forms(words, "points", extremes.points * (MOST_CODES if several else 1)),
        "codes": _forms(words, "codes", MOST_CODES),
        "balance": (str(MOST_BALANCE),),
        "date": _dates(words.dates["day"]),
        "time": _dates(words.dates["day_and_time"]),
        "alias": (" ".join(groups("9" * 9)),),
        "number": ("9" * MOST_SHORT_NUMBER,),
        "pin": (_PIN,),
        "campaign": (extremes.campaign,),
        "firm": (extremes.campaign,),
    }


def _forms(words: Wording, noun: str, largest: int) -> tuple[str, ...]:
    """The largest numbers in each plural form."""
    shapes: dict[str, str] = {}
    for number in range(largest, max(0, largest - 30), -1):
        told = words.count(noun, number)
        shapes.setdefault(re.sub(r"\d", "", told), told)
    return tuple(shapes.values())


@lru_cache(maxsize=32)
def _dates(style: str) -> tuple[str, ...]:
    """Days of a year that read differently in more than their digits: the months, the days of the week."""
    first = datetime(2028, 1, 1, 22, 58, tzinfo=UTC)  # a leap year
    shapes: dict[str, str] = {}
    for day in range(366):
        told = (first + timedelta(days=day)).strftime(style)
        shapes[re.sub(r"\d", "9", told)] = told
    return tuple(shapes.values())


def _outside(text: str, *, plain: bool) -> str:
    spellings = (text, *look_alikes.plainer(text)) if plain else (text,)
    return "".join(sorted({char for char in spellings[-1] if gsm.encode(char) is None}))
