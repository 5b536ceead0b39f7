"""Reads the catalog from SQL, and publishes to Redis what its atomic functions must know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from redis import Redis
from sqlalchemy import Connection, Engine, select

from gateway.domain.codes.candidate import CodeForm
from gateway.domain.codes.catalog import Campaign, Catalog, Series, ShortNumber, SpaceRoute
from gateway.domain.codes.codespace import CodeSpace
from gateway.domain.reading.stop_named import firm_names
from gateway.store.redis import keys
from gateway.store.sql import schema
from gateway.store.vault.vault import Vault


def load(engine: Engine, vault: Vault, version: int = 0) -> Catalog:
    """The whole catalog as it stands in SQL."""
    with engine.connect() as connection:
        campaigns = _campaigns(connection)
        routes = _routes(connection, vault, campaigns)
        numbers: dict[str, int] = {
            row.number: row.host_firm_id for row in connection.execute(select(schema.short_number))
        }
        reach: dict[str, list[SpaceRoute]] = defaultdict(list)
        for row in connection.execute(select(schema.space_short_number)):
            if row.space_id in routes:
                reach[row.number].append(routes[row.space_id])
        at_number: dict[str, list[Campaign]] = defaultdict(list)
        for row in connection.execute(select(schema.campaign_short_number)):
            at_number[row.number].append(campaigns[row.campaign_id])
        named = {row.id: (row.slug, row.name) for row in connection.execute(select(schema.firm))}
    return Catalog(
        version=version,
        short_numbers={
            number: _short_number(number, host, reach[number], at_number[number], named)
            for number, host in numbers.items()
        },
        campaigns=campaigns,
        firms={firm: name for firm, (_, name) in named.items()},
    )


def publish(engine: Engine, redis: Redis, firm_id: int) -> None:
    """Make Redis follow SQL for a firm's campaigns and voided batches, and tell every process."""
    with engine.connect() as connection:
        campaigns = [c for c in _campaigns(connection).values() if c.firm_id == firm_id]
        voided = connection.scalars(
            select(schema.print_batch.c.id)
            .join(schema.code_series, schema.code_series.c.id == schema.print_batch.c.series_id)
            .join(schema.campaign, schema.campaign.c.id == schema.code_series.c.campaign_id)
            .where(schema.print_batch.c.voided_at.is_not(None), schema.campaign.c.firm_id == firm_id)
        ).all()
    pipe = redis.pipeline(transaction=True)
    for c in campaigns:
        pipe.hset(keys.campaigns(firm_id), str(c.id), f"{c.state}|{c.starts_at}|{c.ends_at}|{c.rule_version}")
    if voided:
        pipe.sadd(keys.voided(firm_id), *voided)
    pipe.execute()
    redis.incr(keys.CATALOG_VERSION)


def _campaigns(connection: Connection) -> dict[int, Campaign]:
    rules: dict[int, dict[int, int]] = defaultdict(dict)
    for row in connection.execute(select(schema.rule)):
        rules[row.campaign_id][row.version] = row.points
    return {
        row.id: Campaign(
            id=row.id,
            firm_id=row.firm_id,
            name=row.name,
            state=row.state,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            language=row.language,
            timezone=row.timezone,
            rule_version=row.rule_version,
            rules=rules[row.id],
            texts=row.texts or {},
            asks_consent=bool(row.asks_consent),
        )
        for row in connection.execute(select(schema.campaign))
    }


def _routes(connection: Connection, vault: Vault, campaigns: Mapping[int, Campaign]) -> dict[int, SpaceRoute]:
    batches: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in connection.execute(select(schema.print_batch).order_by(schema.print_batch.c.first_serial)):
        batches[row.series_id].append((row.first_serial, row.id))
    series: dict[int, list[Series]] = defaultdict(list)
    for row in connection.execute(select(schema.code_series).order_by(schema.code_series.c.first_serial)):
        series[row.space_id].append(
            Series(
                id=row.id,
                campaign_id=row.campaign_id,
                firm_id=campaigns[row.campaign_id].firm_id,
                first=row.first_serial,
                size=row.size,
                batches=tuple(batches[row.id]),
            )
        )
    return {
        row.id: SpaceRoute(
            space=CodeSpace(
                id=row.id, alphabet=row.alphabet, length=row.length, key=space_key(vault, row.id)
            ),
            series=tuple(series[row.id]),
            firsts=tuple(s.first for s in series[row.id]),
        )
        for row in connection.execute(select(schema.code_space))
    }


def space_key(vault: Vault, space_id: int) -> str:
    """The FF1 key of a code space, 32 bytes as hex."""
    return vault.derive(f"code-space/{space_id}").hex()


def _short_number(
    number: str,
    host: int,
    routes: list[SpaceRoute],
    campaigns: list[Campaign],
    named: Mapping[int, tuple[str, str]],
) -> ShortNumber:
    firm_ids = tuple(sorted({host, *(c.firm_id for c in campaigns)}))
    hosts = [c for c in campaigns if c.firm_id == host] or campaigns
    return ShortNumber(
        number=number,
        host_firm_id=host,
        firm_ids=firm_ids,
        language=max(hosts, key=lambda c: c.id).language if hosts else "en",
        routes={(r.space.alphabet, r.space.length): r for r in routes},
        forms=tuple(CodeForm(alphabet=r.space.alphabet, length=r.space.length) for r in routes),
        campaign_ids=tuple(c.id for c in campaigns),
        firm_names=firm_names((firm, *named[firm]) for firm in firm_ids),
    )
