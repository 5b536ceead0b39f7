"""How many calls a blast takes, how long they are, and when it would be done. Pure.

Before a blast has called nobody knows who will answer, so an assumption stands in for it, and is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from campaigns.preflight.forecast import Forecast, Load, Openings, forecast
from gateway.domain.offers.offer_call import CallPlan

ANSWERED: Final = 0.5  # of the calls
ANSWERED_AFTER_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLoad:
    """What people would take. `people`: by how often one is called at most; `talk_s`: of an answered call.

    `ring_s`: of one that is not answered. `plan`: within the limits of all dialers together.
    """

    people: Mapping[int, float]
    talk_s: float
    ring_s: float
    plan: CallPlan

    @property
    def calls(self) -> float:
        """All of them: whoever does not answer is called again."""
        return sum(n * (1 - (1 - ANSWERED) ** most) / ANSWERED for most, n in self.people.items())

    @property
    def answered(self) -> float:
        """Those that somebody takes."""
        return self.calls * ANSWERED

    @property
    def talk_minutes(self) -> float:
        """Of all together."""
        return self.answered * self.talk_s / 60

    @property
    def ring_minutes(self) -> float:
        """Of all together: until somebody answers, or the whole time."""
        before = min(ANSWERED_AFTER_S, self.ring_s)
        return (self.answered * before + (self.calls - self.answered) * self.ring_s) / 60

    @property
    def per_s(self) -> float:
        """Calls a second: as many as are wanted, or as the channels bear."""
        minutes = self.talk_minutes + self.ring_minutes
        held_s = 60 * minutes / self.calls if self.calls else 0.0
        return min(self.plan.calls_per_s, self.plan.channels / held_s) if held_s else self.plan.calls_per_s

    def forecast(self, load: Callable[..., Load], openings: Openings) -> Forecast:
        """Everybody once, then all calls at their pace, the last of them after the times between attempts.

        `load`: for so many calls from a moment on. `unreached`: who is not even called once.
        """
        everybody = sum(self.people.values())
        once = forecast(load(everybody), openings)
        if once.finishes_at is None:
            return once
        all_ = forecast(load(self.calls), openings)
        again = max(self.people, default=1) - 1
        behind = once.finishes_at + again * self.plan.retry_no_answer_s * 1000
        last = forecast(load(everybody * (1 - ANSWERED) ** again, starts_at=behind), openings)
        ends = [one.finishes_at for one in (all_, last)]
        known = [at for at in ends if at is not None]
        return Forecast(finishes_at=max(known) if len(known) == len(ends) else None, unreached=0)

    def assumed(self) -> list[str]:
        """What it takes for granted, told to whoever reads it."""
        return [
            f"{ANSWERED:.0%} of the calls are answered, after {ANSWERED_AFTER_S:.0f} s",
            "whoever answers hears the intro and the offer once, to the end",
            f"the others ring for {self.ring_s:.0f} s and are called again after the wait for no answer",
        ]
