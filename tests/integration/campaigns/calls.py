"""Blasts by call in the market: what they say, and what the dialer does with those who wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import insert, update

from gateway.domain.offers.offer_call import CallPlan, Outcome, Spoken
from gateway.domain.policy.verdict import Reason
from gateway.store.calls import recordings
from gateway.store.offers.blasts import Blast
from gateway.store.sql import database, schema
from tests.integration.campaigns.market import Market

FIRM_NAME: Final = "Acme"
INTRO_MS, OFFER_MS = 4_000, 11_000
RANG_MS, TALKED_MS = 5_000, 12_000


class Dialling:
    """What a dialer leaves in SQL, for the blasts of one market."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self._made = 0

    def recording(
        self,
        language: str,
        *,
        words: str | None = f"This is {FIRM_NAME}.",
        ms: int = 1000,
        firm: int | None = None,
    ) -> int:
        """A recording that was spoken from words, or uploaded without any; its id."""
        self._made += 1
        source = "uploaded" if words is None else "spoken"
        name = f"{language} {self._made}"
        new = recordings.New(firm or self.market.firm, name, language, source, words, b"RIFF", ms)
        return recordings.add(self.market.house.engine, new, self.market.now).id

    def plan(self, *languages: str, **changes: Any) -> CallPlan:
        """A plan that speaks these languages."""
        spoken = {
            language: Spoken(
                intro=self.recording(language, ms=INTRO_MS), offer=self.recording(language, ms=OFFER_MS)
            )
            for language in languages or ("en", "uk")
        }
        return CallPlan(spoken=spoken, **changes)

    def launched(self, **changes: Any) -> Blast:
        """A blast by call that runs."""
        return self.market.launched(**{"call": self.plan(), **changes})

    def waiting(self, blast: Blast) -> list[int]:
        """The shopper ids who wait to be called, and are due."""
        rows = self.market.house.rows("offer_call", "blast_id", "shopper_id", "state", "due_at")
        now = self.market.now
        return [who for id_, who, state, due in rows if (id_, state) == (blast.id, "waiting") and due <= now]

    def begin(self, blast: Blast, shopper: int) -> None:
        """A call is on its way."""
        self._set(blast, shopper, state="calling", attempts=1, calls=1)

    def end(self, blast: Blast, outcome: Outcome, *shoppers: int, again_at: int | None = None) -> None:
        """Call these, with this outcome; again at a time (ms), or never. Without any, whoever waits."""
        now = self.market.now
        for shopper in shoppers or self.waiting(blast):
            ended = {"state": "ended", "ended_at": now}
            again = {"state": "waiting", "due_at": again_at}
            then = ended if again_at is None else again
            self._set(blast, shopper, **then, outcome=outcome.value, attempts=1, calls=1)
            self._record(blast, shopper, outcome, now)

    def put_off(self, blast: Blast, shopper: int, reason: Reason, until: int) -> None:
        """The gate says later, ms."""
        self._set(blast, shopper, reason=reason.value, due_at=until)

    def deny(self, blast: Blast, shopper: int, reason: Reason) -> None:
        """The gate says no."""
        denied = {"state": "ended", "outcome": Outcome.DENIED.value, "ended_at": self.market.now}
        self._set(blast, shopper, reason=reason.value, **denied)

    def outcomes(self, blast: Blast) -> Mapping[str, int]:
        """How many of a blast ended how."""
        rows = self.market.house.rows("offer_call", "blast_id", "state", "outcome")
        return Counter(outcome for id_, state, outcome in rows if (id_, state) == (blast.id, "ended"))

    def _set(self, blast: Blast, shopper: int, **values: Any) -> None:
        c = schema.offer_call
        with database.writing(self.market.house.engine) as connection:
            one = (c.c.blast_id == blast.id, c.c.shopper_id == shopper)
            assert connection.execute(update(c).where(*one).values(values)).rowcount == 1

    def _record(self, blast: Blast, shopper: int, outcome: Outcome, now: int) -> None:
        self._made += 1
        talked = outcome in (Outcome.ACCEPTED, Outcome.HEARD, Outcome.REFUSED, Outcome.HUNG_UP, Outcome.LATER)
        values = {
            "id": f"o{self._made:032x}",
            "blast_id": blast.id,
            "shopper_id": shopper,
            "firm_id": blast.firm_id,
            "dialer": "here",
            "begun_at": now,
            "answered_at": now + RANG_MS if talked else None,
            "ended_at": now + RANG_MS + (TALKED_MS if talked else 0),
            "outcome": outcome.value,
            "language": "uk",
        }
        with database.writing(self.market.house.engine) as connection:
            connection.execute(insert(schema.offer_call_record).values(values))
