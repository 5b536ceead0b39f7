"""Which link a text leaves by, from the settings and from what holders tell."""

from __future__ import annotations

from gateway.domain.links.routing import Health, Route
from gateway.entry.wiring.backing import (
    Backing,
)
from gateway.store.links import reports
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.operations.link_choice import LinkChoice


def link_choice(backing: Backing, redis: DurableRedis) -> LinkChoice:
    """Among the links of the settings, by what their holders tell."""
    links = backing.settings.links
    names = [link.name for link in links]

    async def look() -> dict[str, Health]:
        said = await reports.read(redis.redis, names)
        return {name: report.health for name, report in said.items() if report is not None}

    return LinkChoice([Route(link.name, link.prefixes, link.weight) for link in links], look)
