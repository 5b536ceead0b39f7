"""Series and print batches as they were issued, and how many of their codes were used."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, ScalarSelect, case, func, select

from gateway.store.sql import schema


class Counts(NamedTuple):
    """Codes. `used`: credited so far, as the ledger has it; `voided`: worth nothing, though not used."""

    issued: int
    used: int
    voided: int


class Series(NamedTuple):
    """A series of codes. `created_at`: ms since 1970."""

    id: int
    campaign_id: int
    alphabet: str
    length: int
    batches: int
    created_at: int
    codes: Counts


class Batch(NamedTuple):
    """A print batch. `voided_at`: ms since 1970; None: it was not."""

    id: int
    first_serial: int
    voided_at: int | None
    codes: Counts


def all_series(connection: Connection, campaign: int | None = None) -> list[Series]:
    """Those of a campaign, or of all; in the order of their issue."""
    s, t, b = schema.code_series, schema.code_space, schema.print_batch
    used = _used_in_batch()
    counted = (
        select(
            b.c.series_id,
            func.count().label("batches"),
            func.sum(used).label("used"),
            func.sum(_voided(used)).label("voided"),
        )
        .join(s, s.c.id == b.c.series_id)
        .group_by(b.c.series_id)
        .subquery()
    )
    query = (
        select(s, t.c.alphabet, t.c.length, counted)
        .join(t, t.c.id == s.c.space_id)
        .join(counted, counted.c.series_id == s.c.id)
        .order_by(s.c.id)
    )
    if campaign is not None:
        query = query.where(s.c.campaign_id == campaign)
    return [
        Series(
            *(row.id, row.campaign_id, row.alphabet, row.length, row.batches, row.created_at),
            Counts(row.size, int(row.used), int(row.voided)),
        )
        for row in connection.execute(query)
    ]


def batches(connection: Connection, series: int) -> list[Batch]:
    """The print batches of a series, in the order of their serials."""
    s, b = schema.code_series, schema.print_batch
    used = _used_in_batch()
    query = (
        select(b, used.label("used"), _voided(used).label("voided"))
        .join(s, s.c.id == b.c.series_id)
        .where(s.c.id == series)
        .order_by(b.c.first_serial)
    )
    return [
        Batch(row.id, row.first_serial, row.voided_at, Counts(row.size, int(row.used), int(row.voided)))
        for row in connection.execute(query)
    ]


def live(connection: Connection, space: int, now: int) -> int:
    """Codes of a space that could still be redeemed: of campaigns not over, in batches not voided."""
    batch, series, campaign = schema.print_batch, schema.code_series, schema.campaign
    found = connection.scalar(
        select(func.sum(batch.c.size))
        .join(series, series.c.id == batch.c.series_id)
        .join(campaign, campaign.c.id == series.c.campaign_id)
        .where(
            series.c.space_id == space,
            batch.c.voided_at.is_(None),
            campaign.c.state != "ended",
            campaign.c.ends_at > now,
        )
    )
    return int(found or 0)


def _used_in_batch() -> ScalarSelect[Any]:
    """Activations of the batch and series of the row, along the index of space and serial."""
    a, s, b = schema.activation, schema.code_series, schema.print_batch
    return (
        select(func.count())
        .where(
            a.c.space_id == s.c.space_id,
            a.c.serial >= b.c.first_serial,
            a.c.serial < b.c.first_serial + b.c.size,
        )
        .correlate(s, b)
        .scalar_subquery()
    )


def _voided(used: ScalarSelect[Any]) -> Any:
    b = schema.print_batch
    return case((b.c.voided_at.is_not(None), b.c.size - used), else_=0)
