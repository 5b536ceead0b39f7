"""The error threshold: a blast that fails too often pauses itself, before its money is gone."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, func, select

from gateway.domain.consent.word import Channel
from gateway.domain.offers.sample import MILLION
from gateway.store.offers import call_list
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema

WHY: Final = "too many failed"
LEAST: Final = 20  # so few may fail whatever their share is
_FAILED: Final = ("failed", "expired")


def failed(engine: Engine, blast: Blast) -> int:
    """How many texts were refused by the SMSC, by their receipts, or too old; or how many calls failed."""
    if blast.channel == Channel.CALL:
        return call_list.failed(engine, blast.id)
    m = schema.message
    query = select(func.count()).where(m.c.blast_id == blast.id, m.c.state.in_(_FAILED))
    with engine.connect() as connection:
        return int(connection.scalar(query) or 0)


def too_many(engine: Engine, blast: Blast) -> bool:
    """Whether more have failed since it was last resumed than its share of all allows."""
    if not blast.texted:
        return False
    fresh = failed(engine, blast) - blast.failed_before
    return fresh > max(LEAST, blast.texted * blast.error_share // MILLION)
