"""A gateway without its edges: the real Valkey, database and code between them, driven text by text."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, select, update

from config.settings import AliasSettings, AnswerSettings, LimitSettings, RedisSettings
from gateway.domain.codes.catalog import Catalog
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey import program as valkey_program
from gateway.entry.valkey.place import Place
from gateway.store.calls.callers import Callers
from gateway.store.calls.new_caller_limit import Newcomers
from gateway.store.codes import catalog as catalog_store
from gateway.store.codes.claims import ClaimStore, Verdict
from gateway.store.codes.owners import Shoppers
from gateway.store.consent.redis_words import ConsentWords
from gateway.store.integrity import fingerprints, redis_state
from gateway.store.redis import connect, keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.redis.suspects import Patience
from gateway.store.sql import database, schema
from gateway.store.telemetry.metrics import Meter
from gateway.store.texts.sendqueue import SendQueue, Sent, Waiting, open_answer
from gateway.store.vault.vault import Vault
from gateway.usecases.calls.free_number import CallDesk
from gateway.usecases.codes import issue_codes
from gateway.usecases.codes.issue_codes import IssuedSeries
from gateway.usecases.consent.consents import ConsentDesk
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import NewCampaign
from gateway.usecases.intake import Incoming, after_host, calls_for
from gateway.usecases.settlement.answering import Desk
from gateway.usecases.settlement.drain import Work, drain
from gateway.usecases.settlement.drain_texts import Desks
from gateway.usecases.settlement.draining import Drained, Turns
from gateway.usecases.settlement.settle import Settled
from tests import databases

LINK: Final = "peer"
SHORT: Final = "4040"
ANNA: Final = "380671234567"
BOHDAN: Final = "380509876543"
MASTER: Final = bytes(range(32))
HOUR_MS: Final = 3_600_000
START_TIMEOUT_S: Final = 20.0
SHORT_PATIENCE: Final = Patience(failures=5, span_ms=0, longest_wait_ms=0)  # tests do not wait
LOOK_AGAIN_S: Final = 0.01


class Server:
    """The Valkey that the gateway would embed, started here so that it may serve many tests."""

    def __init__(self, directory: Path) -> None:
        self.place = Place(directory=directory.resolve() / "valkey", socket=directory.resolve() / "s")
        self.url = f"unix://{self.place.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it on its files and wait until it answers."""
        valkey_place.prepare(self.place, maxmemory="0")
        self._process = subprocess.Popen(
            [valkey_program.find().path, self.place.config], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + START_TIMEOUT_S
        with Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(LOOK_AGAIN_S)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it answer nobody, and keep its connections."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def copy(self, to: Path) -> None:
        """A copy of its append-only files, as a backup takes it."""
        shutil.copytree(self.place.directory / "appendonlydir", to)

    def restore(self, copy: Path) -> None:
        """Put such a copy in the place of its files; it must not run."""
        shutil.rmtree(self.place.directory / "appendonlydir")
        shutil.copytree(copy, self.place.directory / "appendonlydir")


@dataclass
class House:
    """Everything behind the edges. `desk` is what the worker settles with; `catalog` follows SQL."""

    server_url: str
    state: Path
    limits: LimitSettings = field(default_factory=LimitSettings)
    answers: AnswerSettings = field(default_factory=AnswerSettings)
    aliases: AliasSettings = field(default_factory=AliasSettings)
    receipt_ids: str = "learn"
    accounts: dict[str, frozenset[str]] = field(default_factory=dict)  # link -> links of its account
    sql_url: str = ""  # empty: the database of the running test

    def __post_init__(self) -> None:
        self.sql_url = self.sql_url or databases.current.url(self.state)
        self.engine = database.engine(self.sql_url)
        self.vault = Vault(MASTER)
        self.redis = connect.sync_client(self.server_url, RedisSettings())
        self.client = connect.async_client(self.server_url, RedisSettings(), blocks_s=1.0)
        self.deployment = redis_state.deployment_id(self.engine)
        fingerprints.confirm(self.engine, self.vault, "the house's secret")
        self.verified = 0
        self.store = self.claims()
        self.observed: list[Settled] = []
        self.turns = Turns()
        self.patience = SHORT_PATIENCE
        self._texts = 0

    async def close(self) -> None:
        """Let go of everything."""
        self.engine.dispose()
        self.redis.close()
        await self.client.aclose()

    # As an operator

    def firm(self, slug: str = "acme") -> int:
        """A firm; its id."""
        made = set_up.add_firm(self.engine, slug, slug.capitalize())
        self.publish(made)
        return made

    def campaign(self, firm: str = "acme", **changes: Any) -> int:
        """A running campaign; its id."""
        now = int(time.time() * 1000)
        values: dict[str, Any] = {
            "firm": firm,
            "name": "Summer",
            "short_numbers": (SHORT,),
            "points": 10,
            "language": "en",
            "timezone": "Europe/Kyiv",
            "starts_at": now - HOUR_MS,
            "ends_at": now + HOUR_MS,
            "texts": {},
        }
        made = set_up.add_campaign(self.engine, NewCampaign(**(values | changes)))
        with self.engine.connect() as connection:
            self.publish(set_up.firm_id(connection, firm))
        return made

    def move(self, campaign: int, starts_at: int, ends_at: int) -> None:
        """Put a campaign into another time (ms since 1970)."""
        c = schema.campaign
        with database.writing(self.engine) as connection:
            connection.execute(
                update(c).where(c.c.id == campaign).values(starts_at=starts_at, ends_at=ends_at)
            )
            owner = connection.execute(select(c.c.firm_id).where(c.c.id == campaign)).scalar_one()
        self.publish(owner)

    def series(self, campaign: int, count: int = 50, alphabet: str = "digits") -> IssuedSeries:
        """A series of codes."""
        made = issue_codes.issue(
            self.engine,
            self.vault,
            campaign=campaign,
            count=count,
            alphabet=alphabet,
            odds=10_000_000,
            length=None,
        )
        self.publish(made.firm_id)
        return made

    def codes(self, campaign: int, count: int = 50, alphabet: str = "digits") -> list[str]:
        """New codes as printed."""
        return [code for _, code in self.series(campaign, count, alphabet).codes()]

    def publish(self, firm_id: int) -> None:
        """As the commands do after a change."""
        redis_state.check(self.engine, self.redis, self.deployment)
        catalog_store.publish(self.engine, self.redis, firm_id)

    @property
    def catalog(self) -> Catalog:
        """As it stands in SQL."""
        return catalog_store.load(self.engine, self.vault)

    # As the SMPP process

    def claims(self, redis: DurableRedis | None = None, **limits: Any) -> ClaimStore:
        """A door of its own, as of another process; `limits` beside this house's."""
        return ClaimStore(
            redis or DurableRedis(self.client),
            deployment=self.deployment,
            limits=self.limits.model_copy(update=limits),
            answers=self.answers,
            verify=self._verify,
        )

    async def _verify(self) -> None:
        self.verified += 1
        standing = redis_state.check(self.engine, self.redis, self.deployment)
        if not standing.decides:
            raise StoreUnavailable(standing.presence.value)

    async def text(
        self,
        said: str,
        number: str = ANNA,
        *,
        short: str = SHORT,
        link: str = LINK,
        store: ClaimStore | None = None,
    ) -> Verdict:
        """A text, decided as the intake does; the host's verdict with the letters of all firms."""
        self._texts += 1
        incoming = Incoming(
            message_id=f"{self._texts:024x}",
            number=number,
            short_number=short,
            text=said,
            link=link,
            channel="sms",
        )
        calls = calls_for(incoming, self.catalog.short_numbers[short], self.vault, 20)
        door = store or self.store
        verdict = (await door.activate(calls[0].firm_id, calls[:1]))[0]
        for call in after_host(calls, verdict):
            further = (await door.activate(call.firm_id, [call]))[0]
            verdict = verdict._replace(codes=verdict.codes + further.codes)
        return verdict

    def pass_time(self, number: str, seconds: int, firm: int = 1) -> None:
        """Let a shopper's counters be older than they are: they count by Redis' own clock."""
        starts = (0, 2, 4, 6, 7, 9)
        values = self.limits_of(number, firm)
        self.set_limits(
            number, [max(0, v - seconds) if at in starts else v for at, v in enumerate(values)], firm
        )

    def wrong_codes(self, number: str, firm: int = 1) -> tuple[int, int]:
        """What is counted of this hour and of this day."""
        values = self.limits_of(number, firm)
        return values[3], values[5]

    def forget_texts(self) -> None:
        """Let the time pass in which a text is taken for a re-delivery."""
        for name in self.redis.scan_iter(match="*:seen:*"):
            self.redis.delete(name)

    def _bytes(self, key: str) -> bytes:
        found: Any = self.redis.get(key)
        assert isinstance(found, bytes)
        return found

    # As the process that talks with callers

    def call_desk(
        self,
        *,
        store: ClaimStore | None = None,
        engine: Engine | None = None,
        link: str = LINK,
        new_callers_per_hour: int = 1000,
    ) -> CallDesk:
        """A desk of its own, as of another process."""
        return CallDesk(
            catalog=lambda: self.catalog,
            claims=store or self.store,
            owners=Shoppers(self.client, engine or self.engine),
            callers=Callers(engine or self.engine, self.vault),
            newcomers=Newcomers(self.client, new_callers_per_hour),
            consents=self.consent_desk(engine),
            vault=self.vault,
            alias_key=self.vault.derive("alias").hex(),
            link=lambda _: link,
            poke=lambda: None,
            meter=Meter(),
        )

    # As the API

    def consent_words(self) -> ConsentWords:
        """Words of consent, as of another process."""
        return ConsentWords(DurableRedis(self.client), deployment=self.deployment, verify=self._verify)

    def consent_desk(self, engine: Engine | None = None) -> ConsentDesk:
        """Where consent is changed by no text."""
        words = self.consent_words()
        return ConsentDesk(engine=engine or self.engine, vault=self.vault, words=words)

    # As the worker

    def desk(self) -> Desk:
        """What a settlement needs."""
        return Desk(
            engine=self.engine,
            vault=self.vault,
            catalog=self.catalog,
            alias_key=self.vault.derive("alias").hex(),
            aliases=self.aliases,
        )

    def desks(self) -> Desks:
        """Desks as a worker has them: the catalog is read again only when it is asked for."""
        held = [self.desk()]

        def current(*, renew: bool = False) -> Desk:
            if renew:
                held[0] = self.desk()
            return held[0]

        return current

    def work(self, *, worker: str = "one", passed: list[Drained] | None = None) -> Work:
        """What a worker drains with."""
        return Work(
            redis=self.redis,
            desk=self.desks(),
            links=dict.fromkeys([LINK, *self.accounts], self.receipt_ids),
            accounts=self.accounts,
            receipts_kept_ms=int(self.answers.receipts_max_age_d * 86_400_000),
            token=worker,
            observe=self.observed.extend,
            passed=lambda drained, _link: passed.append(drained) if passed is not None else None,
            stop=lambda: False,
            turns=self.turns,
            patience=self.patience,
        )

    def drain(self, *, worker: str = "one", passed: list[Drained] | None = None) -> int:
        """Settle all that waits; how many texts."""
        return drain(self.work(worker=worker, passed=passed), linger_s=0.0)

    # As the sender

    def send_queue(self, link: str = LINK) -> SendQueue:
        """The queue of a link, as a new process sees it."""
        return SendQueue(
            DurableRedis(self.client),
            self.client,
            link,
            self.answers.redelivery_window_s,
            self._verify,
            deployment=self.deployment,
        )

    def waiting_answers(self, firm: int = 1) -> list[tuple[str, str]]:
        """(number, text) of all that waits to be sent, replies first."""
        queues: list[Any] = [self.redis.xrange(name) for name in keys.sends(firm, LINK)]
        return [open_answer(self.vault, fields[b"x"]) for rows in queues for _, fields in rows]

    # What stands

    def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """Rows of a table in the order of insertion; one column alone still comes as a tuple."""
        found = schema.metadata.tables[table]
        with self.engine.connect() as connection:
            query = select(*(found.c[c] for c in columns)).order_by(*found.primary_key.columns)
            return [tuple(row) for row in connection.execute(query)]

    def balance(self, number: str, firm: int = 1) -> int:
        """Points of a shopper; 0 for one that is not known."""
        shoppers = {key: id_ for id_, key in self.rows("shopper", "id", "key")}
        points = {(s, f): p for s, f, p in self.rows("balance", "shopper_id", "firm_id", "points")}
        return int(points.get((shoppers.get(self.vault.index(number)), firm), 0))

    def limits_of(self, number: str, firm: int = 1) -> tuple[int, ...]:
        """The counters of a shopper as keys.LIMITS has them."""
        return keys.LIMITS.unpack(self._bytes(keys.limits(firm, self.vault.index(number))))

    def set_limits(self, number: str, values: Sequence[int], firm: int = 1) -> None:
        """Put counters in their place."""
        self.redis.set(
            keys.limits(firm, self.vault.index(number)), keys.LIMITS.pack(*values), ex=keys.LIMITS_TTL
        )

    def consent(self, number: str, firm: int = 1) -> str:
        """The word that stands in Redis: out, in, or nothing."""
        found: Any = self.redis.get(keys.consent(firm, self.vault.index(number)))
        return found.decode().split(":")[0] if found else ""

    def names(self, pattern: str = "*") -> list[str]:
        """The keys in Redis."""
        return sorted(name.decode() for name in self.redis.scan_iter(match=pattern))


def plain(letters: Sequence[str]) -> str:
    """Letters of a verdict without the rule versions."""
    return "".join(letter[0] for letter in letters)


def ended(
    waiting: Waiting, state: str = "accepted", *, smsc_id: str | None = "id-1", error: str | None = None
) -> Sent:
    """An answer with its outcome."""
    return Sent(waiting=waiting, state=state, smsc_id=smsc_id, error=error, at=1_700_000_000_000)
