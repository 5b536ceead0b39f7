"""What the texts of a blast would take: their segments, and the time at the links' speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from campaigns.context import Desk
from campaigns.eligibility import Reached
from campaigns.fan_out.words import setting_of, written
from campaigns.preflight.forecast import Forecast, Load, Openings, forecast, total_rate
from gateway.domain.offers import offer
from gateway.domain.sms.segments import count
from gateway.store.offers.blasts import Blast

WRITTEN_EACH: Final = 100  # texts of a page that are written to count their segments


class TextLoad(NamedTuple):
    """So many texts. `per_text`: segments of one, on average; `longest`: at most, by language."""

    texts: int
    per_text: float
    longest: Mapping[str, int]


class TextEstimate:
    """Page by page, as campaigns.preflight.preflight looks at the people."""

    def __init__(self, desk: Desk, blast: Blast) -> None:
        self._desk = desk
        self._blast = blast
        self._setting = setting_of(desk.catalog(), blast.firm_id, blast.campaign_id)
        self._texts = 0
        self._segments = 0

    def faults(self) -> Iterator[str]:
        """A blast by SMS has no further ones."""
        return iter(())

    def denied(self, allowed: Sequence[Reached], now: int) -> Mapping[int, str]:
        """Nobody beyond the law."""
        del allowed, now
        return {}

    def add(self, reachable: Sequence[Reached]) -> None:
        """Those of a page who may be written to now or later."""
        some = [one.member for one in reachable[:WRITTEN_EACH]]
        texts = written(self._desk.engine, self._blast.firm_id, self._blast.template, self._setting, some)
        self._texts += len(texts)
        self._segments += sum(count(text, plain=True) for text in texts)

    def load(self, people: int) -> TextLoad:
        """As of so many people like those who were looked at."""
        template = self._blast.template
        longest = {lang: offer.most_taken(template, lang, self._setting) for lang in template.words}
        return TextLoad(people, self._per_text(), longest)

    def warns(self) -> Iterator[str]:
        """Nothing."""
        return iter(())

    def forecast(self, people: int, starts_at: int, openings: Openings) -> Forecast:
        """For so many people."""
        load = Load(
            texts=people,
            segments=self._per_text(),
            per_s=total_rate(dict(self._desk.rates)),
            spread_s=self._blast.spread_s,
            starts_at=starts_at,
            expires_at=self._blast.expires_at,
        )
        return forecast(load, openings)

    def _per_text(self) -> float:
        return self._segments / self._texts if self._texts else 0.0
