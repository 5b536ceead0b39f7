"""The words of the web page, and the language that a browser asks for."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from zoneinfo import ZoneInfo

from config import texts
from gateway.domain.answers.outcome import Outcome
from gateway.domain.written import instants
from gateway.usecases.codes.activation import CodeAnswer

NAMES = {"uk": "Українська", "ru": "Русский", "kk": "Қазақша", "en": "English"}  # each in itself


@lru_cache(maxsize=1)
def pages() -> Mapping[str, Mapping[str, str]]:
    """The page's words by language."""
    found = tomllib.loads(files("config.texts").joinpath("web_page.toml").read_text(encoding="utf-8"))
    return MappingProxyType({language: MappingProxyType(found[language]) for language in texts.LANGUAGES})


def sentence(code: CodeAnswer, language: str, *, timezone: str, campaign: str, limited_until: int) -> str:
    """What became of a code, for the shopper to read. `limited_until`: seconds since 1970."""
    words = texts.load(language)
    if code.outcome is Outcome.ACTIVATED:
        said = pages()[language]["activated" if code.texted else "activated_untold"]
        return said.format(points=words.count("points", code.points))
    zone = ZoneInfo(timezone)
    at = datetime.now(UTC) if code.at is None else instants.utc(code.at)
    return words.say(
        code.outcome.value,
        date=words.date("day", at.astimezone(zone)),
        time=words.date("time", datetime.fromtimestamp(limited_until, zone)),
        campaign=campaign,
    )


def chosen(accept: str, default: str) -> str:
    """The language of ours that an Accept-Language header likes best (RFC 9110, 12.5.4).

    >>> chosen("de, ru-RU;q=0.8, en;q=0.5", "uk")
    'ru'
    """
    best, liked = default, 0.0
    for entry in accept[:500].split(","):
        tag, _, quality = entry.partition(";")
        language = tag.strip().lower().partition("-")[0]
        q = _quality(quality)
        if language in texts.LANGUAGES and q > liked:
            best, liked = language, q
    return best


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        return float(value) if name.strip() == "q" else 0.0
    except ValueError:
        return 0.0
