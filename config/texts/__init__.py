"""The words that shoppers read, one TOML file a language, and the plural rules that choose among them.

A file has sentences, nouns with their plural forms, and the way dates are written. Everything is checked when
it is loaded, a campaign's own words as well: a misspelt placeholder is an error then, not before a shopper.
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from babel import Locale

LANGUAGES: Final = ("uk", "ru", "kk", "en")

# Each sentence with the placeholders that it must have. `campaign` may stand in any but the last,
# `firm` in that.
SENTENCES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        key: frozenset(placeholders.split())
        for key, placeholders in (
            # The whole answer for one code, or part of it.
            ("activated", "points balance"),
            ("already_used", ""),
            ("already_yours", "date"),
            ("invalid", ""),
            ("not_started", "date"),
            ("not_started_soon", ""),  # the day is not known
            ("ended", ""),
            ("paused", ""),
            # The same for several codes; `codes` is their number with its noun.
            ("several.activated", "codes points"),
            ("several.already_used", "codes"),
            ("several.already_yours", "codes date"),
            ("several.invalid", "codes"),
            ("several.not_started", "codes date"),
            ("several.not_started_soon", "codes"),
            ("several.ended", "codes"),
            ("several.paused", "codes"),
            ("several.balance", "balance"),
            # Services.
            ("opt_out", ""),
            ("opt_out_firm", "firm"),
            ("opt_in", ""),
            ("opt_in_sms", ""),  # of texts alone
            ("opt_in_call", ""),  # of calls alone
            ("agreed_called", "firm number"),  # a yes by call; `number`: where a STOP goes
            ("help", ""),
            ("alias", "alias"),
            ("alias_later", ""),  # it cannot be told now
            ("alias_called", "alias number"),  # `number`: to which a text proves the caller's own
            ("alias_proved", ""),
            ("new_alias", "alias date"),
            ("alias_kept", "alias date"),
            ("balance", "points"),
            ("invite", ""),
            ("limited", "time"),
            ("limited_text", "time"),  # of a text that had no code
            ("unknown", ""),
            # How to refuse further offers; stands in each.
            ("offer_opt_out", ""),
            # At the end of a confirmation, and what a yes agrees to.
            ("ask_consent", ""),
            # The web page proves a number with it.
            ("web_pin", "pin"),
        )
    }
)
NOUNS: Final = ("points", "codes")
DATES: Final = ("day", "time", "day_and_time")

# A STOP is confirmed in the house's words: a campaign could put marketing there. The question for consent
# is the proof of what was agreed to, and of how to refuse; so is what tells which offers come from
# now on. And whoever did not call is warned in them.
_HOUSE_ONLY: Final = frozenset(
    {"opt_out", "opt_out_firm", "opt_in_sms", "opt_in_call"}
    | {"ask_consent", "alias_called", "agreed_called", "offer_opt_out"}
)
_NOUN: Final = frozenset({"n"})


class TextError(ValueError):
    """Words that cannot be used; the message names the source and each key at fault, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The words of one language. `house`: without a campaign's own; None when these are the house's."""

    language: str
    sentences: Mapping[str, str]
    nouns: Mapping[str, Mapping[str, str]]
    dates: Mapping[str, str]
    plural: Callable[[int], str] = field(repr=False, compare=False)
    house: Wording | None = None

    @property
    def plain(self) -> Wording:
        """These words as the house has them, without what a campaign has changed."""
        return self.house or self

    def say(self, key: str, **values: object) -> str:
        """A sentence with its placeholders filled in."""
        return self.sentences[key].format_map(values)

    def count(self, noun: str, number: int) -> str:
        """A number with its noun in the right plural form, such as "5 баллов"."""
        return self.nouns[noun][self.plural(abs(number))].format(n=number)

    def date(self, style: str, when: datetime) -> str:
        """A point in time as people here write it; `style`: day, time or day_and_time."""
        return when.strftime(self.dates[style])

    def override(self, texts: Mapping[str, object]) -> Wording:
        """These words with a campaign's own in place of some: sentences, or nouns as tables of plural forms.

        Raises TextError with every fault.
        """
        source = f"campaign texts ({self.language})"
        sentences, nouns, faults = _sorted_out(texts)
        faults += [f"{key}: cannot be changed by a campaign" for key in sentences.keys() & _HOUSE_ONLY]
        faults += _sentence_faults(sentences)
        faults += _noun_faults(nouns, self.nouns["points"].keys())
        _refuse(source, faults)
        return Wording(
            language=self.language,
            sentences=MappingProxyType({**self.sentences, **sentences}),
            nouns=MappingProxyType({**self.nouns, **nouns}),
            dates=self.dates,
            plural=self.plural,
            house=self.plain,
        )


@lru_cache(maxsize=len(LANGUAGES))
def load(language: str) -> Wording:
    """The house's words in a language: uk, ru, kk or en. Raises TextError."""
    if language not in LANGUAGES:
        raise TextError(f"no texts in language {language!r}; there are {', '.join(LANGUAGES)}")
    content = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return parse(language, content, source=f"{language}.toml")


def parse(language: str, content: str, *, source: str) -> Wording:
    """A wording from TOML text. `source` names it in errors. Raises TextError with every fault."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as err:
        raise TextError(f"{source}: is not TOML: {err}") from err
    dates = table.pop("dates", {})
    # Babel's "many" of Russian and Ukrainian is that of whole numbers; "other" is for fractions there.
    rule = Locale.parse(language).plural_form
    sentences, nouns, faults = _sorted_out(table)
    faults += [f"{key}: is missing" for key in SENTENCES if key not in sentences]
    faults += [f"{noun}: is missing" for noun in NOUNS if noun not in nouns]
    faults += [f"dates.{style}: is missing" for style in DATES if not isinstance(dates.get(style), str)]
    faults += _sentence_faults(sentences)
    faults += _noun_faults(nouns, rule.tags | {"other"})
    _refuse(source, faults)
    return Wording(
        language=language,
        sentences=MappingProxyType(sentences),
        nouns=MappingProxyType(nouns),
        dates=MappingProxyType(dates),
        plural=lru_cache(maxsize=10_000)(rule),  # Babel interprets the rule anew for each number
    )


def _sorted_out(table: Mapping[str, object]) -> tuple[dict[str, str], dict[str, dict[str, str]], list[str]]:
    """Sentences, nouns and faults of a table whose groups stand as tables or as dotted keys."""
    sentences: dict[str, str] = {}
    nouns: dict[str, dict[str, str]] = {}
    faults: list[str] = []
    for key, value in table.items():
        if key in NOUNS and isinstance(value, Mapping):
            nouns[key] = {str(form): str(words) for form, words in value.items()}
        elif isinstance(value, Mapping):
            sentences |= {f"{key}.{inner}": str(words) for inner, words in value.items()}
        elif isinstance(value, str):
            sentences[key] = value
        else:
            faults.append(f"{key}: is not text")
    return sentences, nouns, faults


def _sentence_faults(sentences: Mapping[str, str]) -> Iterator[str]:
    for key, words in sentences.items():
        if key in SENTENCES:
            may = frozenset({"campaign" if key != "web_pin" else "firm"})
            yield from (f"{key}: {fault}" for fault in _placeholder_faults(words, SENTENCES[key], may))
        else:
            yield f"{key}: no such text"


def _noun_faults(nouns: Mapping[str, Mapping[str, str]], forms: Iterable[str]) -> Iterator[str]:
    wanted = frozenset(forms)
    for noun, words in nouns.items():
        for form in sorted(wanted ^ words.keys()):
            yield f"{noun}.{form}: {'is missing' if form in wanted else 'no such plural form here'}"
        for form, phrase in words.items():
            yield from (f"{noun}.{form}: {fault}" for fault in _placeholder_faults(phrase, _NOUN))


def _placeholder_faults(words: str, must: frozenset[str], may: frozenset[str] = frozenset()) -> Iterator[str]:
    try:
        fields = list(string.Formatter().parse(words))
    except ValueError as err:
        yield f"braces do not match: {err}"
        return
    if not words.strip():
        yield "is empty"
    named = {name for _, name, _, _ in fields if name is not None}
    yield from (f"{{{name}}} is missing" for name in sorted(must - named))
    yield from (f"{{{name}}} is unknown here" for name in sorted(named - must - may))
    if any(spec or conversion for _, _, spec, conversion in fields):
        yield "a placeholder is a name in braces and nothing else"


def _refuse(source: str, faults: list[str]) -> None:
    if faults:
        raise TextError("\n".join(f"{source}: {fault}" for fault in faults))
