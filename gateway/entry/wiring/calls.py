"""The desk of calls, put together from what a process stands on."""

from __future__ import annotations

from collections.abc import Callable

from gateway.entry.wiring.backing import Backing, CatalogKeeper, Verifier, claim_store, consent_words
from gateway.queues.poking import Nudger
from gateway.store.calls.callers import Callers
from gateway.store.calls.new_caller_limit import Newcomers
from gateway.store.codes.owners import Shoppers
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.calls.free_number import CallDesk
from gateway.usecases.consent.consents import ConsentDesk


def call_desk(
    backing: Backing, redis: DurableRedis, keeper: CatalogKeeper, meter: Meter, link: Callable[[str], str]
) -> CallDesk:
    """`link`: by which one a text to a number leaves, as api_process.link_choice makes it."""
    settings = backing.settings
    verifier = Verifier(backing, redis.redis)
    claims = claim_store(backing, redis, verifier)
    words = consent_words(backing, redis, verifier)
    return CallDesk(
        catalog=lambda: keeper.catalog,
        claims=claims,
        owners=Shoppers(redis.redis, backing.engine),
        callers=Callers(backing.engine, backing.vault),
        newcomers=Newcomers(redis.redis, settings.ivr.new_callers_per_hour),
        consents=ConsentDesk(engine=backing.engine, vault=backing.vault, words=words),
        vault=backing.vault,
        alias_key=backing.alias_key,
        link=link,
        poke=Nudger(backing.queue_redis, meter, "ivr").poke,
        meter=meter,
    )
