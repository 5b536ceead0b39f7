"""Campaigns as they stand in SQL, for whoever looks at them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from gateway.store.sql import schema


class Rule(NamedTuple):
    """A version of an earning rule. `created_at`: since when it holds, ms since 1970."""

    version: int
    points: int
    created_at: int


class CampaignRow(NamedTuple):
    """A campaign. Times in ms since 1970; `rules`: the oldest first, the last one holds.

    `revision`: grows with each change. `texts`: language -> key -> own wording.
    """

    id: int
    firm: str
    name: str
    state: str
    starts_at: int
    ends_at: int
    language: str
    timezone: str
    asks_consent: bool
    texts: Mapping[str, Mapping[str, Any]]
    revision: int
    short_numbers: tuple[str, ...]
    rules: tuple[Rule, ...]

    @property
    def points(self) -> int:
        """Of a code that is claimed now."""
        return self.rules[-1].points


def all_campaigns(connection: Connection) -> list[CampaignRow]:
    """Those of all firms, in the order in which they were added."""
    return _rows(connection)


def find(connection: Connection, id_: int) -> CampaignRow | None:
    """The campaign of this id."""
    return next(iter(_rows(connection, id_)), None)


def _rows(connection: Connection, only: int | None = None) -> list[CampaignRow]:
    c, f, n, r = schema.campaign, schema.firm, schema.campaign_short_number, schema.rule
    numbers: dict[int, list[str]] = defaultdict(list)
    rules: dict[int, list[Rule]] = defaultdict(list)
    of_numbers, of_rules, of_campaigns = select(n), select(r), select(c, f.c.slug).join(f)
    if only is not None:
        of_numbers, of_rules = (
            of_numbers.where(n.c.campaign_id == only),
            of_rules.where(r.c.campaign_id == only),
        )
        of_campaigns = of_campaigns.where(c.c.id == only)
    for row in connection.execute(of_numbers.order_by(n.c.number)):
        numbers[row.campaign_id].append(row.number)
    for row in connection.execute(of_rules.order_by(r.c.version)):
        rules[row.campaign_id].append(Rule(row.version, row.points, row.created_at))
    return [
        CampaignRow(
            *(row.id, row.slug, row.name, row.state, row.starts_at, row.ends_at, row.language, row.timezone),
            *(bool(row.asks_consent), row.texts or {}, row.revision),
            *(tuple(numbers[row.id]), tuple(rules[row.id])),
        )
        for row in connection.execute(of_campaigns.order_by(c.c.id))
    ]
