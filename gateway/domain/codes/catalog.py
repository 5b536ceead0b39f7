"""What is on offer, as one immutable picture: short numbers, code spaces, series, campaigns, rules."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.domain.codes.candidate import Candidate, CodeForm
from gateway.domain.codes.codespace import CodeSpace


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """A promotion of a firm. Times in ms since 1970 UTC; `rules`: version -> points a code.

    `asks_consent`: its first confirmation to somebody whom the firm never asked asks for consent to offers.
    """

    id: int
    firm_id: int
    name: str
    state: str
    starts_at: int
    ends_at: int
    language: str
    timezone: str
    rule_version: int
    rules: Mapping[int, int]
    texts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    asks_consent: bool = False


def standing_of(state: str, starts_at: int, ends_at: int, now: int) -> str:
    """A campaign's state as shoppers meet it: its own, or what its dates make of it. Times in ms.

    >>> standing_of("running", 10, 20, 15), standing_of("paused", 10, 20, 5), standing_of("paused", 1, 2, 3)
    ('running', 'not begun', 'over')
    """
    if state != "ended" and now >= ends_at:
        return "over"
    return "not begun" if state != "ended" and now < starts_at else state


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A run of serials of one campaign; `batches`: (first serial, print batch id), ascending."""

    id: int
    campaign_id: int
    firm_id: int
    first: int
    size: int
    batches: tuple[tuple[int, int], ...]

    def batch_of(self, serial: int) -> int:
        """The print batch that holds a serial of this series."""
        at = bisect_right(self.batches, serial, key=lambda batch: batch[0]) - 1
        return self.batches[at][1]


class Issued(NamedTuple):
    """A code that was really issued: where its bit is, and whose it is."""

    space_id: int
    serial: int
    series_id: int
    batch_id: int
    campaign_id: int
    firm_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceRoute:
    """A code space with its series, ascending by first serial."""

    space: CodeSpace
    series: tuple[Series, ...]
    firsts: tuple[int, ...]

    def resolve(self, symbols: str) -> Issued | None:
        """What a normalised code of this space's form is; None for a code that was never issued."""
        serial = self.space.decode(symbols)
        if serial is None:
            return None
        at = bisect_right(self.firsts, serial) - 1
        if at < 0:
            return None
        series = self.series[at]
        if serial >= series.first + series.size:
            return None
        return Issued(
            space_id=self.space.id,
            serial=serial,
            series_id=series.id,
            batch_id=series.batch_of(serial),
            campaign_id=series.campaign_id,
            firm_id=series.firm_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortNumber:
    """A number that shoppers text to. The host firm owns its limits and texts without a code.

    `firm_names`: what a text may call a firm here, see gateway.domain.reading.stop_named. `campaign_ids`: of
    the campaigns that are texted to here.
    """

    number: str
    host_firm_id: int
    firm_ids: tuple[int, ...]
    language: str
    routes: Mapping[tuple[str, int], SpaceRoute]
    forms: tuple[CodeForm, ...]
    firm_names: Mapping[str, int] = field(default_factory=dict)
    campaign_ids: tuple[int, ...] = ()

    def resolve(self, candidate: Candidate) -> Issued | None:
        """The issued code behind what was typed; None when it is none, or of the wrong length."""
        route = self.routes.get((candidate.alphabet, len(candidate.symbols)))
        return route.resolve(candidate.symbols) if route else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """Everything on offer at one moment. `version` grows with each change."""

    version: int
    short_numbers: Mapping[str, ShortNumber]
    campaigns: Mapping[int, Campaign]
    firms: Mapping[int, str]  # id -> name
