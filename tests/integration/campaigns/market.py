"""A gateway without its edges as a marketer has it: shoppers, consent, blasts, and what the sender does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import insert

from campaigns.context import Desk, DialLimits
from campaigns.eligibility import Look
from campaigns.fan_out.fan_out import FanOut, Step
from campaigns.lifecycle import draft, lifecycle
from campaigns.lifecycle.draft import NewBlast
from campaigns.shown.results import Results, results
from config import policies
from gateway.domain.offers.audience import Definition
from gateway.domain.sms.priority import Priority
from gateway.store.offers import blasts
from gateway.store.offers.audiences import Audience
from gateway.store.offers.blasts import Blast
from gateway.store.people import shoppers as people
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.sql import database, schema
from gateway.store.texts.receipts import FiledReceipt, ReceiptLog
from gateway.store.texts.sendqueue import Sent, Waiting, open_answer
from tests.integration.house import LINK, SHORT, House

NOON: Final = int(datetime(2027, 3, 10, 10, 0, tzinfo=UTC).timestamp() * 1000)  # a Wednesday, 12:00 in Kyiv
DAY_MS: Final = 86_400_000
WORDS: Final = {
    "en": "Hello! {points} at {firm}. {opt_out}",
    "uk": "Вітаємо! {points} у {firm}. {opt_out}",
}
FIRM: Final = 1
FREE: Final = "0800500040"


class Market:
    """`now`: the time that everybody here goes by."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.now = NOON
        self.firm = house.firm()
        self.campaign = house.campaign(ends_at=NOON + 30 * DAY_MS)
        self.desk = Desk(
            engine=house.engine,
            vault=house.vault,
            redis=house.redis,
            queue_redis=house.redis,
            looks=Look(house.redis, policies.load),
            catalog=lambda: house.catalog,
            link=lambda _: LINK,
            links=(LINK,),
            rates={LINK: 100.0},
            most_segments=4,
            free_numbers=(FREE,),
            dialing=DialLimits(channels=100, calls_per_s=50.0),
            policies=policies.load,
            clock=lambda: self.now,
        )

    # People

    def shoppers(
        self,
        count: int,
        *,
        first: int = 1,
        language: str = "uk",
        consent: str = "in:1",
        points: int = 10,
        region: str = "38067",
    ) -> list[str]:
        """So many shoppers of the firm whose numbers begin with `region`; their numbers."""
        numbers = [f"{region}{i:0{12 - len(region)}}" for i in range(first, first + count)]
        keys_ = [self.house.vault.index(number) for number in numbers]
        with database.writing(self.house.engine) as connection:
            rows = [
                people.row(self.house.vault, key=key, number=n.encode(), language=language, at=NOON)
                for key, n in zip(keys_, numbers, strict=True)
            ]
            connection.execute(insert(schema.shopper), rows)
            s = schema.shopper
            ids = connection.scalars(
                s.select().with_only_columns(s.c.id).order_by(s.c.id.desc()).limit(count)
            )
            balances = [{"shopper_id": id_, "firm_id": self.firm, "points": points} for id_ in ids]
            connection.execute(insert(schema.balance), balances)
        for key in keys_:
            self.house.redis.set(keys.consent(self.firm, key), consent)
        return numbers

    def say(self, number: str, word: str) -> None:
        """What stands of a person's consent, as gateway.domain.consent.word writes it."""
        self.house.redis.set(keys.consent(self.firm, self.house.vault.index(number)), word)

    # The marketer

    def audience(self, name: str = "everybody", **definition: Any) -> Audience:
        """An audience of this definition."""
        wanted = Definition.model_validate(definition, strict=False)
        return self.desk.audiences.add(self.firm, name, wanted, self.now)

    def blast(self, audience: Audience | None = None, /, **changes: Any) -> Blast:
        """A draft for an audience; without one for everybody."""
        if not changes.keys() & {"audience", "follows"}:
            changes["audience"] = (audience or self.audience()).id
        new = NewBlast(name="Spring", campaign=self.campaign, texts=WORDS, short_number=SHORT)
        return draft.create(self.desk, self.firm, replace(new, **changes), self.now)

    def launched(self, audience: Audience | None = None, /, **changes: Any) -> Blast:
        """A blast that runs."""
        return lifecycle.launch(self.desk, self.blast(audience, **changes), self.now)

    def again(self, blast: Blast) -> Blast:
        """As it stands now."""
        found = blasts.find(self.house.engine, blast.id)
        assert found is not None
        return found

    def results(self, blast: Blast) -> Results:
        """As they stand now."""
        return results(self.house.engine, self.again(blast))

    # The processes

    def fan_out(self, blast: Blast, desk: Desk | None = None, most: int = 10_000) -> list[Step]:
        """Steps until one does nothing; what they did."""
        steps: list[Step] = []
        while len(steps) < most and (not steps or steps[-1] is Step.WORKED):
            steps.append(FanOut(desk or self.desk).step(blast.id, self.now))
        return steps

    def waiting(self) -> list[tuple[str, str]]:
        """(number, text) of the offers that wait to be sent."""
        rows: Any = self.house.redis.xrange(keys.send(self.firm, LINK, Priority.BULK))
        return [open_answer(self.house.vault, fields[b"x"]) for _, fields in rows]

    async def take(self, count: int = 10_000) -> list[Waiting]:
        """As the sender takes them."""
        return await self.house.send_queue().take(self.firm, count)

    async def end(self, sent: Sequence[Sent]) -> None:
        """As the sender files outcomes, and the worker settles them."""
        await self.house.send_queue().file(sent)
        self.house.drain()

    async def send_all(self, state: str = "accepted", **changes: Any) -> list[str]:
        """Let all that waits end so; the numbers."""
        taken = await self.take()
        await self.end([outcome(w, state, **changes) for w in taken])
        return [open_answer(self.house.vault, w.sealed)[0] for w in taken]

    async def receipt(self, text: str) -> None:
        """A text that the SMSC has taken arrives."""
        filed = FiledReceipt(f"id-{text}", "delivered", None, NOON)
        await ReceiptLog(DurableRedis(self.house.client)).add(LINK, [filed])
        self.house.drain()

    def states(self, blast: Blast) -> Mapping[str, int]:
        """Recipients by what stands of them."""
        found: dict[str, int] = {}
        for id_, state in self.house.rows("blast_recipient", "blast_id", "state"):
            if id_ == blast.id:
                found[state] = found.get(state, 0) + 1
        return found


def outcome(waiting: Waiting, state: str, *, error: str | None = None, until: int = 0) -> Sent:
    """What the sender files of a text."""
    smsc_id = f"id-{waiting.message_id}" if state == "accepted" else None
    return Sent(waiting=waiting, state=state, smsc_id=smsc_id, error=error, at=NOON, until=until)
