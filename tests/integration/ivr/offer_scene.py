"""A dialer as the IVR process composes it, on a real Asterisk, Valkey and SQLite; blasts and people."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import select, update

from config import policies
from config.ivr_settings import IvrSettings
from config.policies import Policies
from config.settings import Settings
from gateway.domain.consent.word import Channel as By
from gateway.domain.offers.blast import State
from gateway.domain.offers.offer_call import CallPlan, Outcome, Spoken
from gateway.entry.wiring.backing import Backing, CatalogKeeper
from gateway.entry.wiring.dialer import OfferCalls, make_offer_calls
from gateway.store.calls import recordings
from gateway.store.offers import blasts, call_list
from gateway.store.offers.blasts import Blast
from gateway.store.offers.redis_queue import Offers
from gateway.store.people import shoppers as people
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.sql import database, schema
from gateway.store.telemetry.metrics import Meter
from ivr.agi.channel import Channel
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.offer.order import AnsweredBy, OfferOrder, OfferTold
from tests.conftest import sipp_program
from tests.integration.campaigns.market import WORDS, Market
from tests.integration.ivr.ami import settings_of
from tests.noon import to_noon_of_a_tuesday
from tests.peers.asterisk import Asterisk
from tests.peers.asterisk_files import TRUNK
from tests.peers.callee import answering
from tests.peers.hearing import write_prompt

WAIT_S: Final = 15.0
SHORT: Final = "4040"
DAY_MS: Final = 86_400_000
Says = Callable[[Channel, OfferOrder], Awaitable[Outcome | None]]


def brisk_packs() -> Policies:
    """The packs of the house, but for how long a call must ring, and how many a person bears."""
    packs = {
        name: replace(pack, channels=_brisk(pack.channels)) for name, pack in policies.load().packs.items()
    }
    return policies.joined(list(packs.values()))


def _brisk(channels: Any) -> Any:
    changed = {"min_ring_s": 0, "per_day": 9, "per_week": 9}
    return MappingProxyType({name: replace(rules, **changed) for name, rules in channels.items()})


async def hears_it(channel: Channel, order: OfferOrder) -> Outcome | None:
    """A talk that is over at once."""
    del channel, order
    return Outcome.HEARD


@dataclass
class Scene:
    """`says`: stands in for the talk, where calls are answered."""

    market: Market
    asterisk: Asterisk
    sounds: Path
    says: Says = hears_it

    def __post_init__(self) -> None:
        self.offset_s = to_noon_of_a_tuesday()
        self.engine = self.market.house.engine
        self.redis = self.market.house.redis
        self.audience = self.market.audience("of calls")
        write_prompt(self.sounds / "said.wav", (500, 900))
        self.recording = recordings.add(
            self.engine,
            recordings.New(
                self.market.firm, "said", "uk", "uploaded", None, (self.sounds / "said.wav").read_bytes(), 250
            ),
            1,
        ).id

    # Blasts and people

    def blast(self, numbers: Sequence[str], **plan: Any) -> int:
        """A running blast that calls these numbers."""
        spoken = {"uk": Spoken(intro=self.recording, offer=self.recording)}
        values = {"ring_s": 5, "channels": 20, "calls_per_s": 50.0, **plan}
        blast = blasts.add(
            self.engine,
            {
                "firm_id": self.market.firm,
                "name": "Spring calls",
                "channel": By.CALL.value,
                "audience_id": self.audience.id,
                "campaign_id": self.market.campaign,
                "short_number": SHORT,
                "texts": WORDS,
                "fallback": "uk",
                "holdout": 0,
                "spread_s": 0,
                "error_share": 1_000_000,
                "expires_at": self.now() + 30 * DAY_MS,
                "created_at": self.now(),
                "call": CallPlan.model_validate({"spoken": spoken, **values}).model_dump(mode="json"),
            },
        )
        with database.writing(self.engine) as connection:
            shoppers = [self.shopper(number) for number in numbers]
            call_list.add(connection, blast, shoppers, 1)
        self.turn(blast, State.RUNNING)
        return blast.id

    def turn(self, blast: Blast | int, state: State) -> None:
        """As its marketer does, in SQL and then in Redis."""
        found = self.of(blast) if isinstance(blast, int) else blast
        t = schema.blast
        with database.writing(self.engine) as connection:
            values = {"state": state.value, "revision": found.revision + 1}
            connection.execute(update(t).where(t.c.id == found.id).values(values))
        Offers(self.redis).tell(found.firm_id, found.id, state, found.revision + 1)

    def of(self, blast_id: int) -> Blast:
        """As it stands."""
        found = blasts.find(self.engine, blast_id)
        assert found is not None
        return found

    def shopper(self, number: str) -> int:
        """The id of whoever has this number."""
        s = schema.shopper
        with self.engine.connect() as connection:
            key = self.market.house.vault.index(number)
            return int(connection.execute(select(s.c.id).where(s.c.key == key)).scalar_one())

    def move(self, number: str, to: str) -> None:
        """Somebody had another number all the time."""
        self._change(number, key=self.market.house.vault.index(to), number=self._sealed(to))
        self.market.say(to, "in:1")

    def erase(self, number: str) -> None:
        """Somebody is nobody by now."""
        self._change(number, key="nobody", number=b"")

    def due_now(self) -> None:
        """Let the time pass until whoever waits is due."""
        with database.writing(self.engine) as connection:
            connection.execute(update(schema.offer_call).where(schema.WAITING).values(due_at=1))

    # What stands

    def calls(self, blast_id: int) -> list[tuple[Any, ...]]:
        """(state, outcome, attempts, calls) of each person, in the order of ids."""
        found = self.market.house.rows("offer_call", "blast_id", "state", "outcome", "attempts", "calls")
        return [row[1:] for row in found if row[0] == blast_id]

    def outcomes(self) -> list[str | None]:
        """Of the calls that were begun, in no order."""
        return [outcome for (outcome,) in self.market.house.rows("offer_call_record", "outcome")]

    def live(self) -> int:
        """Slots that are held."""
        return int(self.redis.zcard(keys.live_calls()))

    async def ended(self, blast_id: int) -> list[tuple[Any, ...]]:
        """The calls of a blast once nobody waits or is called."""
        await self.until(lambda: all(row[0] == "ended" for row in self.calls(blast_id)))
        return self.calls(blast_id)

    async def until(self, true: Callable[[], bool]) -> None:
        """Until a condition of SQL or Redis holds."""
        try:
            async with asyncio.timeout(WAIT_S):
                while not true():  # noqa: ASYNC110 - what another process or thread does
                    await asyncio.sleep(0.02)
        except TimeoutError as err:
            columns = ("blast_id", "state", "outcome", "reason", "attempts", "calls")
            raise AssertionError(self.market.house.rows("offer_call", *columns)) from err

    # The process

    def backing(self, **changes: Any) -> Backing:
        """What it stands on."""
        house = self.market.house
        ivr = {
            "enabled": True,
            "dial": True,
            "trunk": TRUNK,
            "agi_port": self.asterisk.place.agi_port,
            "ami": settings_of(self.asterisk),
            "sounds_dir": self.asterisk.sounds,
            "offer_calls_per_s": 50.0,
            "most_call_s": 10,
            "key_wait_s": 1.0,
        }
        settings = Settings(
            state_dir=house.state,
            clock_offset_s=self.offset_s,
            ivr=IvrSettings(**{**ivr, **changes}),
        )
        return Backing(
            settings=settings,
            vault=house.vault,
            engine=house.engine,
            deployment=house.deployment,
            redis=house.redis,
            queue_redis=house.redis,
        )

    @asynccontextmanager
    async def dialing(self, *, talk: bool = False, **changes: Any) -> AsyncIterator[OfferCalls]:
        """A process that calls. `talk`: the real one; else `says` speaks. `changes`: of `[ivr]`."""
        backing = self.backing(**changes)
        house = self.market.house
        offers = make_offer_calls(
            *(backing, DurableRedis(house.client), CatalogKeeper(backing), house.call_desk()),
            *(lambda _: "", Meter()),
        )
        route = offers.talk if talk else self._talk(offers)
        server = AgiServer({"/offer": route}, AgiLimits(most_calls=100, call_s=30.0), lambda _: None)
        await server.start("127.0.0.1", backing.settings.ivr.agi_port)
        tasks = [asyncio.ensure_future(work) for work in offers.works()]
        try:
            async with asyncio.timeout(WAIT_S):
                await offers.manager.up.wait()
            yield offers
        finally:
            await offers.end(server.stop(1.0))
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def calling(
        self, status: str, *, first: str = "180 Ringing", **changes: Any
    ) -> AsyncIterator[OfferCalls]:
        """The same, and every callee answers so. `first`: before it."""
        port = self.asterisk.place.callee_port
        callee = answering(sipp_program(), port, status=status, first=first)
        async with callee, self.dialing(**changes) as offers:
            yield offers

    def _talk(self, offers: OfferCalls) -> Callable[[Channel], Awaitable[None]]:
        async def answer(channel: Channel) -> None:
            call_id = channel.env.get("uniqueid", "")
            order = offers.table.order(call_id)
            outcome = None
            try:
                if order is not None:
                    outcome = await self.says(channel, order)
                await channel.hangup()
            finally:
                if order is not None:
                    told = OfferTold(outcome=outcome, answered_at=1, answered_by=AnsweredBy.HUMAN)
                    offers.table.tell(call_id, told)

        return answer

    def _change(self, of: str, **values: Any) -> None:
        s = schema.shopper
        with database.writing(self.engine) as connection:
            connection.execute(update(s).where(s.c.id == self.shopper(of)).values(values))

    def _sealed(self, number: str) -> bytes:
        return self.market.house.vault.seal(people.SEAL_SHOPPER, number.encode())

    def now(self) -> int:
        """Ms since 1970, by the clock that the dialer goes by."""
        seconds, _ = self.redis.time()
        return int(seconds + self.offset_s) * 1000
