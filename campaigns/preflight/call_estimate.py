"""What the calls of a blast would take, and what its marketer should know of the people to call."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from campaigns.context import Desk
from campaigns.eligibility import Reached
from campaigns.fan_out.by_call import BAD_NUMBER
from campaigns.preflight import call_faults
from campaigns.preflight.call_load import CallLoad
from campaigns.preflight.forecast import Forecast, Load, Openings
from gateway.domain.consent.word import Channel
from gateway.domain.offers.least_count import LEAST
from gateway.domain.offers.offer_call import CallPlan
from gateway.store.calls import recordings
from gateway.store.offers import call_list
from gateway.store.offers.blasts import Blast

NO_DIALER = "nothing here makes calls: ask your operator for a dialer (ivr.dial of the settings)"


class CallEstimate:
    """Page by page, as campaigns.preflight.preflight looks at the people."""

    def __init__(self, desk: Desk, blast: Blast) -> None:
        self._desk = desk
        self._blast = blast
        self.plan = CallPlan.model_validate(blast.call)
        self._attempts: Counter[int] = Counter()
        self._heard: Counter[str] = Counter()  # by the language that is spoken to them
        self._unspoken: Counter[str] = Counter()  # by their own, which nobody has recorded
        self._packs: set[str] = set()
        self._ring_s = 0

    def faults(self) -> Iterator[str]:
        """What forbids to call at all."""
        if self._desk.dialing is None:
            yield NO_DIALER
        yield from call_faults.faults(self._desk, self._blast.firm_id, self.plan, self._blast.fallback)

    def denied(self, allowed: Sequence[Reached], now: int) -> Mapping[int, str]:
        """Shopper ids whom the law allows to call, and whose number is bad."""
        bad = call_list.bad_numbers(self._desk.engine, [one.member.shopper_id for one in allowed], now)
        return dict.fromkeys(bad, BAD_NUMBER)

    def add(self, reachable: Sequence[Reached]) -> None:
        """Those of a page who may be called now or later."""
        policies = self._desk.policies()
        for member, number in reachable:
            covering = policies.covering(number)
            if covering is None:
                continue
            pack = covering[0]
            within = self.plan.within(pack.channels[Channel.CALL])
            self._packs.add(pack.name)
            self._attempts[within.max_attempts] += 1
            self._ring_s += within.ring_s
            spoken = self.plan.language(member.language, self._blast.fallback)
            self._heard[spoken] += 1
            if member.language is not None and spoken != member.language:
                self._unspoken[member.language] += 1

    def load(self, people: int) -> CallLoad:
        """As of so many people like those who were looked at."""
        seen = max(1, self._attempts.total())
        return CallLoad(
            people={most: n * people / seen for most, n in self._attempts.items()},
            talk_s=self._talk_s(),
            ring_s=self._ring_s / seen,
            plan=self._paced(),
        )

    def forecast(self, people: int, starts_at: int, openings: Openings) -> Forecast:
        """For so many people."""
        load = self.load(people)

        def of(calls: float, *, starts_at: int = starts_at) -> Load:
            return Load(
                texts=max(1, round(calls)),
                segments=1.0,
                per_s=load.per_s,
                spread_s=self._blast.spread_s,
                starts_at=starts_at,
                expires_at=self._blast.expires_at,
            )

        return load.forecast(of, openings)

    def warns(self) -> Iterator[str]:
        """What its marketer should know."""
        people = self._heard.total()
        for language, n in sorted(self._unspoken.items()):
            some = f"{n / people:.0%}" if n >= LEAST else "a few"
            yield f"{some} of them speak {language} and hear {self._blast.fallback}: record it, too"
        for name in sorted(self._packs):
            pack = self._desk.policies().packs[name]
            rules = pack.channels[Channel.CALL]
            if rules.min_ring_s > self.plan.ring_s:
                yield f"{pack.title}: a call rings for {rules.min_ring_s} s at least, as its policy pack says"
            if rules.max_attempts < self.plan.max_attempts:
                yield f"{pack.title}: {rules.max_attempts} attempts at most, as its policy pack says"

    def _paced(self) -> CallPlan:
        dialing = self._desk.dialing
        if dialing is None:
            return self.plan
        channels = min(self.plan.channels, dialing.channels)
        calls_per_s = min(self.plan.calls_per_s, dialing.calls_per_s)
        return self.plan.model_copy(update={"channels": channels, "calls_per_s": calls_per_s})

    def _talk_s(self) -> float:
        """Of an answered call: the intro and the offer, on average over the languages that are heard."""
        people = self._heard.total()
        return sum(n * self._seconds(language) for language, n in self._heard.items()) / max(1, people)

    def _seconds(self, language: str) -> float:
        said = self.plan.spoken[language]
        found = [recordings.find(self._desk.engine, self._blast.firm_id, i) for i in (said.intro, said.offer)]
        return sum(one.milliseconds for one in found if one is not None) / 1000
