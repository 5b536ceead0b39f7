"""What every process stands on: the master secret's vault, SQL, Redis, and the catalog that follows SQL."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from config.outage import Outage
from config.section import SettingsError
from config.settings import Settings
from gateway.domain.codes.catalog import Catalog
from gateway.entry.valkey import place as valkey_place
from gateway.store.codes import catalog as catalog_store
from gateway.store.codes.claims import ClaimStore
from gateway.store.consent.gate import GateStore
from gateway.store.consent.redis_words import ConsentWords
from gateway.store.files import state_dir
from gateway.store.integrity import fingerprints, key_generations, ledger_mark, redis_state
from gateway.store.integrity.redis_state import Presence
from gateway.store.redis import fitness, keys
from gateway.store.redis.connect import async_client, sync_client
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.sql import database, migrate
from gateway.store.sql.faults import word
from gateway.store.vault import master_secret, sealing_keys
from gateway.store.vault.sealing_keys import KeyFile
from gateway.store.vault.vault import Vault

log = structlog.get_logger()
CATALOG_EVERY_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Backing:
    """Shared by the parts of one process."""

    settings: Settings
    vault: Vault
    engine: Engine
    deployment: str
    redis: Redis
    queue_redis: Redis

    @property
    def alias_key(self) -> str:
        """The FF1 key of aliases."""
        return self.vault.derive("alias").hex()


def redis_url(settings: Settings) -> str:
    """The claims' Redis: the one named, or the embedded Valkey's socket."""
    return settings.redis.url or valkey_place.socket_url(settings)


def open_backing(settings: Settings) -> Backing:
    """Open what a process stands on. Raises SettingsError with one line that says what to do."""
    url = redis_url(settings)
    engine = database.engine(settings.sql_url, settings.sql)
    try:
        ledger_mark.refuse_lost(settings)
        _refuse_nothing(settings)
        if migrate.pending(settings.sql_url):
            raise SettingsError(
                "the database is behind this version: run `undercap up` or `undercap migrate`"
            )
        deployment = redis_state.deployment_id(engine)
        key_generations.refuse_lost(engine, sealing_keys.file_of(settings))
        vault = _vault(settings, engine)
    except SQLAlchemyError as err:
        raise SettingsError(f"sql: the database does not answer ({word(err)})") from err
    ledger_mark.note(settings, deployment)
    return Backing(
        settings=settings,
        vault=vault,
        engine=engine,
        deployment=deployment,
        redis=sync_client(url, settings.redis),
        queue_redis=sync_client(settings.redis.queue_url or url, settings.redis),
    )


def _refuse_nothing(settings: Settings) -> None:
    """Raises SettingsError where `undercap up` never ran, or where this user may not look."""
    file = database.sqlite_file(settings.sql_url)
    if file is not None and not state_dir.holds(file):
        raise SettingsError(
            f"there is no state in {file.parent}: run it where `undercap up` ran, or set UNDERCAP_STATE_DIR "
            "(a new one begins with `undercap up`, or `undercap migrate`)"
        )


def confirm_secrets(settings: Settings) -> None:
    """Hold the secrets against the database; make the master secret where a deployment begins.

    Raises SettingsError, SQLAlchemyError.
    """
    engine = database.engine(settings.sql_url, settings.sql)
    try:
        redis_state.deployment_id(engine)
        _vault(settings, engine)
    finally:
        engine.dispose()


def _vault(settings: Settings, engine: Engine) -> Vault:
    """The vault of this deployment's secrets; the master secret is made where the database knows of none.

    Raises SettingsError, SQLAlchemyError.
    """
    if master_secret.find(settings) is None:
        fingerprints.refuse_second(engine, master_secret.file_of(settings))
    made = Vault(master_secret.load_or_make(settings), KeyFile(sealing_keys.file_of(settings)))
    where = "master_secret" if settings.master_secret else str(master_secret.file_of(settings))
    fingerprints.confirm(engine, made, where)
    return made


async def open_redis(backing: Backing) -> DurableRedis:
    """The durable async client, after Redis was found fit to hold what is acknowledged.

    A Redis that is away is waited for elsewhere; one that would lose data is refused (RedisRefusedError).
    """
    settings = backing.settings
    client: AsyncRedis = async_client(redis_url(settings), settings.redis)
    try:
        found = await fitness.assess(client, settings.redis)
    except (RedisError, OSError) as err:
        log.warning("redis does not answer yet", reason=type(err).__name__)
    else:
        for warning in found.warnings:
            log.warning("redis", told=warning)
        found.refuse_faults()
    return DurableRedis(
        client,
        waitaof=settings.redis.durability == "waitaof",
        replicas=settings.redis.waitaof_replicas,
        timeout_s=settings.redis.timeout_s,
    )


async def refuse_unfit(backing: Backing) -> None:
    """For synchronous clients: a Redis that would lose data is refused, one that is away is waited for."""
    found = await open_redis(backing)
    await found.redis.aclose()


class Verifier:
    """Holds Redis against SQL before claims are decided; says once what is wrong and what mends it."""

    def __init__(self, backing: Backing, redis: AsyncRedis) -> None:
        self._backing = backing
        self._redis = redis
        self.standing: redis_state.Standing | None = None

    async def __call__(self) -> None:
        """Raises StoreUnavailable while Redis may decide for no firm; those that it is behind for are
        closed in it.
        """
        backing = self._backing
        try:
            found = await fitness.assess(self._redis, backing.settings.redis)
            if found.faults:
                raise StoreUnavailable(found.faults[0])
            standing = await asyncio.to_thread(
                redis_state.check, backing.engine, backing.redis, backing.deployment
            )
        except (RedisError, OSError, SQLAlchemyError) as err:
            raise StoreUnavailable(f"cannot be verified: {type(err).__name__}") from err
        if standing != self.standing:
            self.standing = standing
            if standing.presence is not Presence.WHOLE:
                log.error(
                    "intake closed: Redis is " + standing.presence.value,
                    firms=" ".join(map(str, standing.firms)),
                    mend=standing.presence.mend,
                )
            else:
                log.info("redis is whole")
        if not standing.decides:
            raise StoreUnavailable(f"closed: Redis is {standing.presence.value}; {standing.presence.mend}")

    def doubtful(self) -> bool:
        """Whether SQL may lack what is there: then nothing that it does not know is refused for good."""
        return self.standing is not None and not self.standing.decides


def gate_store(backing: Backing, redis: DurableRedis, verifier: Verifier) -> GateStore:
    """What Redis knows of marketing, by the clock of its hours and caps."""
    offset_s = backing.settings.clock_offset_s
    return GateStore(redis, deployment=backing.deployment, verify=verifier, offset_s=offset_s)


def consent_words(backing: Backing, redis: DurableRedis, verifier: Verifier) -> ConsentWords:
    """Where consent of this deployment is changed by no text."""
    return ConsentWords(redis, deployment=backing.deployment, verify=verifier)


def claim_store(backing: Backing, redis: DurableRedis, verifier: Verifier) -> ClaimStore:
    """Where claims of this deployment are decided."""
    return ClaimStore(
        redis,
        deployment=backing.deployment,
        limits=backing.settings.limits,
        answers=backing.settings.answers,
        verify=verifier,
    )


class CatalogKeeper:
    """The catalog of this process; follows the version that Redis tells, and SQL behind it."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._away = Outage("catalog not read")
        self.catalog: Catalog = catalog_store.load(backing.engine, backing.vault, self._version())

    def refresh(self) -> Catalog:
        """Load again if something has changed; keeps the old one while Redis or SQL is away."""
        version = self._version()
        if version not in (-1, self.catalog.version):
            try:
                self.catalog = catalog_store.load(self._backing.engine, self._backing.vault, version)
            except SQLAlchemyError as err:
                self._away.on(type(err).__name__)
            else:
                self._away.over()
        return self.catalog

    async def follow(self) -> None:
        """Refresh once a second until cancelled."""
        while True:
            await asyncio.sleep(CATALOG_EVERY_S)
            await asyncio.to_thread(self.refresh)

    def _version(self) -> int:
        try:
            return int(self._backing.redis.get(keys.CATALOG_VERSION) or 0)
        except (RedisError, OSError):
            return -1
