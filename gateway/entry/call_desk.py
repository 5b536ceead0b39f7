"""The desk of calls, put together from what a process stands on."""

from __future__ import annotations

from collections.abc import Callable

from gateway.entry.backing import Backing, CatalogKeeper, Verifier, claim_store, consent_words
from gateway.queues.poking import Nudger
from gateway.store.callers import Callers
from gateway.store.durable import DurableRedis
from gateway.store.metrics import Meter
from gateway.store.newcomers import Newcomers
from gateway.store.shoppers import Shoppers
from gateway.usecases.call_desk import CallDesk
from gateway.usecases.consents import ConsentDesk


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
