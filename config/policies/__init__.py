"""Policy packs: what the law and the operators of a country allow of marketing, one TOML file a pack.

A pack covers numbers by their prefixes and knows their time zones by a table of its own. Everything is
checked when it is loaded: a wrong zone or hour is an error then, not a message at night. Not legal advice: an
operator reads the pack of each country before the first blast there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from config.policies import checks
from config.policies.checks import PolicyError

PACKS: Final = ("ua", "kz", "ru", "eu", "us")

__all__ = ["PACKS", "ChannelRules", "Pack", "Policies", "PolicyError", "load", "parse"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRules:
    """What holds for one channel. `hours`: Monday to Sunday, minutes of the local day (from, to), or None.

    `allowed`: may it be used at all (calls: dialled automatically). `consent`: only after a recorded yes.
    `per_day`, `per_week`: contacts of a person over all firms, in 24 hours and in 7 days. `max_attempts`: of
    one blast to a person. `min_ring_s`: how long a call must ring before it may be given up, seconds.
    `identify`: who sends must be named, in the words of `Pack.identification` or better ones.
    """

    allowed: bool
    consent: bool
    hours: tuple[tuple[int, int] | None, ...]
    per_day: int
    per_week: int
    max_attempts: int
    min_ring_s: int
    identify: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pack:
    """The rules of a country, or of several with the same ones. `sources`: where they are written.

    `zones`: prefix (E.164 digits) -> IANA zones in which such a number may be; none: not known.
    `holidays`: (month, day) of every year, or (year, month, day). `identification`: language -> a sentence
    with `{firm}`.
    """

    name: str
    title: str
    sources: tuple[str, ...]
    zones: Mapping[str, tuple[str, ...]]
    holidays: frozenset[tuple[int, ...]]
    channels: Mapping[str, ChannelRules]
    identification: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Policies:
    """All packs, and which of them covers a prefix."""

    packs: Mapping[str, Pack]
    by_prefix: Mapping[str, Pack]
    longest: int

    def covering(self, number: str) -> tuple[Pack, tuple[str, ...]] | None:
        """The pack of a number (E.164 digits) and the zones in which it may be; None where none covers it."""
        for size in range(min(self.longest, len(number)), 0, -1):
            pack = self.by_prefix.get(number[:size])
            if pack is not None:
                return pack, pack.zones[number[:size]]
        return None


@lru_cache(maxsize=1)
def load() -> Policies:
    """The packs of the house. Raises PolicyError with every fault."""
    texts = {name: files(__package__).joinpath(f"{name}.toml").read_text(encoding="utf-8") for name in PACKS}
    return joined([parse(name, text) for name, text in texts.items()])


def joined(packs: list[Pack]) -> Policies:
    """Packs as one. Raises PolicyError where two cover the same prefix."""
    by_prefix: dict[str, Pack] = {}
    faults = []
    for pack in packs:
        for prefix in pack.zones:
            other = by_prefix.setdefault(prefix, pack)
            if other is not pack:
                faults.append(f"{pack.name}: prefix {prefix}: {other.name} covers it, too")
    checks.refuse(faults)
    return Policies(
        packs=MappingProxyType({pack.name: pack for pack in packs}),
        by_prefix=MappingProxyType(by_prefix),
        longest=max(map(len, by_prefix), default=0),
    )


def parse(name: str, content: str) -> Pack:
    """A pack from TOML text. Raises PolicyError with every fault."""
    try:
        table = tomllib.loads(content)
    except tomllib.TOMLDecodeError as err:
        raise PolicyError(f"{name}: is not TOML: {err}") from err
    checks.refuse([f"{name}: {fault}" for fault in checks.faults(table)])
    return Pack(
        name=name,
        title=table["title"],
        sources=tuple(table["sources"]),
        zones=MappingProxyType(dict(_zones(table))),
        holidays=frozenset(checks.day_of(day) for day in table["holidays"]),
        channels=MappingProxyType({word: _rules(table[word]) for word in checks.CHANNELS}),
        identification=MappingProxyType(table["identification"]),
    )


def _zones(table: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Covered prefixes with all zones of the country, then those of which more is known."""
    for prefix in table["prefixes"].split():
        yield prefix, tuple(table["everywhere"])
    for names, prefixes in table.get("zones", {}).items():
        for prefix in prefixes.split():
            yield prefix, tuple(names.split("+"))


def _rules(table: Mapping[str, Any]) -> ChannelRules:
    return ChannelRules(
        allowed=table["allowed"],
        consent=table["consent"],
        hours=tuple(checks.hours_of(table["hours"][day]) for day in checks.WEEKDAYS),
        per_day=table["per_day"],
        per_week=table["per_week"],
        max_attempts=table["max_attempts"],
        min_ring_s=table["min_ring_s"],
        identify=table["identify"],
    )
