"""The desk of those who work with blasts, put together from a process' backing."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

from campaigns.context import Desk, DialLimits
from campaigns.eligibility import Look
from config import policies
from config.ivr_settings import IvrSettings
from config.settings import Settings
from gateway.domain.codes.catalog import Catalog
from gateway.domain.links.routing import Route, choose
from gateway.entry.wiring.backing import Backing
from gateway.store.redis.clock import now_of


def blast_desk(
    backing: Backing, catalog: Callable[[], Catalog], link: Callable[[str], str] | None = None
) -> Desk:
    """`link`: None where nobody follows how the links stand; then their weights alone decide."""
    settings = backing.settings
    return Desk(
        engine=backing.engine,
        vault=backing.vault,
        redis=backing.redis,
        queue_redis=backing.queue_redis,
        looks=Look(backing.redis, policies.load),
        catalog=catalog,
        link=link or _by_weight(settings),
        links=tuple(link.name for link in settings.links),
        rates={link.account or link.name: link.segments_per_s for link in settings.links},
        most_segments=settings.answers.max_segments,
        free_numbers=tuple(free.number for free in settings.ivr.free_numbers),
        dialing=_dialing(settings.ivr),
        policies=policies.load,
        clock=partial(now_of, backing.redis, settings.clock_offset_s),
        drill_s=settings.clock_offset_s,
    )


def _dialing(ivr: IvrSettings) -> DialLimits | None:
    return DialLimits(ivr.offer_channels, ivr.offer_calls_per_s) if ivr.dial else None


def _by_weight(settings: Settings) -> Callable[[str], str]:
    routes = [Route(link.name, link.prefixes, link.weight) for link in settings.links]

    def chosen(number: str) -> str:
        # A random number for spreading load, not for secrets.
        return choose(routes, number, {}, random.random()) or ""  # noqa: S311

    return chosen
