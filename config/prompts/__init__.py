"""What callers hear, one TOML file a language: each text becomes one sound file of the same name.

Sentences are whole; a sentence that ends with a colon leads over to digits or to a number, which are put
together from the pieces under `numbers`. Everything is checked when it is loaded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

from config.texts import LANGUAGES

SENTENCES: Final = (
    # At the start of a call.
    *("greeting", "alias_is", "once_more", "sent_by_sms", "spend_after_sms", "menu"),
    # What the keys bring.
    *("sent_already", "enter_code", "balance_is", "choose", "language_set", "help"),
    # Offers: the question is the wording to which a yes agrees.
    *("consent_question", "consent_given", "no_more_offers"),
    # What became of a code.
    *("activated", "already_yours", "already_used", "invalid", "not_started", "ended", "paused", "limited"),
    # For whom we cannot know, or may not serve.
    *("withheld", "unknown_caller", "foreign", "instead", "instead_keys"),
    # Where something is slow, or does not work.
    *("moment", "alias_by_sms", "call_later", "not_now", "code_not_now"),
    # At the end.
    *("not_heard", "wrong_key", "goodbye"),
    # To whom an automatic call reaches, beside what the firm lets be said.
    *("offer_refuse", "offer_keys", "offer_sent", "offer_sent_later", "offer_later", "offer_refused_later"),
    *("offer_goodbye", "offer_call_free"),
    # Asterisk's dialplan plays these where we cannot.
    *("sorry", "busy"),
)
# Before these digits or a number are said.
LEADING: Final = frozenset(
    {"alias_is", "once_more", "spend_after_sms", "balance_is", "activated", "instead", "offer_call_free"}
)
NUMBERS: Final = (
    *(f"n{value}" for value in (*range(20), *range(20, 100, 10), *range(100, 1000, 100))),
    *("thousands1", "thousands2"),
    *(f"{power}_{form}" for power in ("thousand", "million") for form in ("one", "few", "many")),
    "minus",
)
CONSENT: Final = "consent_question"
PAUSE: Final = "pause"  # between the groups of an alias: a file without a text


class PromptError(ValueError):
    """Texts that cannot be used; the message names the source and each key at fault, one a line."""


@lru_cache(maxsize=len(LANGUAGES))
def load(language: str) -> Mapping[str, str]:
    """The text of each prompt in a language: uk, ru, kk or en. Raises PromptError."""
    if language not in LANGUAGES:
        raise PromptError(f"no prompts in language {language!r}; there are {', '.join(LANGUAGES)}")
    content = files(__package__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return parse(content, source=f"prompts/{language}.toml")


def parse(content: str, *, source: str) -> Mapping[str, str]:
    """Prompts from TOML text. `source` names it in errors. Raises PromptError with every fault."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as err:
        raise PromptError(f"{source}: is not TOML: {err}") from err
    faults = list(_faults(table))
    if faults:
        raise PromptError("\n".join(f"{source}: {fault}" for fault in faults))
    return MappingProxyType({**table["sentences"], **table["numbers"]})


def _faults(table: Mapping[str, object]) -> Iterator[str]:
    wanted = {"sentences": SENTENCES, "numbers": NUMBERS}
    yield from (f"{part}: no such part" for part in table.keys() - wanted.keys())
    for part, names in wanted.items():
        told = table.get(part)
        if not isinstance(told, Mapping):
            yield f"{part}: is missing"
            continue
        yield from (f"{part}.{name}: is missing" for name in names if name not in told)
        for name, text in told.items():
            if name not in names:
                yield f"{part}.{name}: no such prompt"
            elif fault := _text_fault(name, text):
                yield f"{part}.{name}: {fault}"


def _text_fault(name: str, text: object) -> str:
    if not isinstance(text, str):
        return "is not text"
    if not text.strip():
        return "is empty"
    if not text.isprintable():
        return "has characters that cannot be spoken"
    if (name in LEADING) != text.endswith(":"):
        return "must end with a colon" if name in LEADING else "ends with a colon, but nothing follows it"
    return ""
