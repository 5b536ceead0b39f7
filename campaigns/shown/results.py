"""What became of a blast: of its recipients, of its texts and calls, and of those people afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, and_, distinct, func, or_, select

from campaigns.shown import call_results
from campaigns.shown.call_results import Calls
from gateway.domain.consent.word import Channel
from gateway.domain.offers.blast import Fate
from gateway.domain.offers.offer_ids import asked_range
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema

SENT = ("accepted", "delivered")  # taken by the SMSC, and not known to have failed


class Afterwards(NamedTuple):
    """Of `people`, how many activated a code afterwards. `share`: None where there is nobody."""

    people: int
    activated: int

    @property
    def share(self) -> float | None:
        """Of them who did."""
        return self.activated / self.people if self.people else None


class Results(NamedTuple):
    """Counts of people. `queued`: their text waits; `sent`: taken by the SMSC, without a receipt yet.

    Texts of a blast that calls are those that key 1 has sent. `deferred`, `denied` by reason, `failed` by
    cause. `unknown`: whether they got it nobody knows; they get no other. `calls`: of a blast that calls.
    `reached`, `holdout`: what those who were sent to or called, and those held out, did afterwards.
    """

    queued: int
    sent: int
    delivered: int
    failed: Mapping[str, int]
    expired: int
    unknown: int
    deferred: Mapping[str, int]
    denied: Mapping[str, int]
    cancelled: int
    not_reached: int
    held_out: int
    opted_out: int
    reached: Afterwards
    holdout: Afterwards
    calls: Calls | None = None


class UnknownText(NamedTuple):
    """A text of which nobody knows whether it left. `at`: ms since 1970."""

    shopper_id: int
    message_id: str
    at: int


def results(engine: Engine, blast: Blast) -> Results:
    """As they stand now."""
    with engine.connect() as connection:
        found = _results(connection, blast)
        if blast.channel == Channel.CALL:
            return _with_calls(connection, blast, found)
        activated = _activated(connection, blast)
        return found._replace(
            opted_out=_opted_out(connection, blast),
            reached=Afterwards(found.sent + found.delivered, activated.get(Fate.TEXTED.value, 0)),
            holdout=Afterwards(found.held_out, activated.get(Fate.HELD.value, 0)),
        )


def _results(connection: Connection, blast: Blast) -> Results:
    """Of recipients and texts; nothing of what they did afterwards."""
    people = _people(connection, blast.id)
    texts = _texts(connection, blast)
    return Results(
        queued=texts.get(("queued", ""), 0),
        sent=texts.get(("accepted", ""), 0),
        delivered=texts.get(("delivered", ""), 0),
        failed={error: n for (state, error), n in texts.items() if state == "failed"},
        expired=texts.get(("expired", ""), 0),
        unknown=texts.get(("unknown", ""), 0),
        deferred=_of(people, Fate.DEFERRED),
        denied=_of(people, Fate.DENIED),
        cancelled=sum(_of(people, Fate.CANCELLED).values()),
        not_reached=sum(_of(people, Fate.EXPIRED).values()),
        held_out=people.get((Fate.HELD.value, ""), 0),
        opted_out=0,
        reached=Afterwards(0, 0),
        holdout=Afterwards(0, 0),
    )


def _with_calls(connection: Connection, blast: Blast, found: Results) -> Results:
    calls = call_results.calls(connection, blast.id)
    activated = call_results.activated(connection, blast)
    called = call_results.called(connection, blast.id)
    return found._replace(
        deferred=Counter(found.deferred) + Counter(calls.deferred),
        denied=Counter(found.denied) + Counter(calls.denied),
        cancelled=found.cancelled + calls.cancelled,
        not_reached=found.not_reached + calls.not_reached,
        opted_out=call_results.opted_out(connection, blast),
        reached=Afterwards(called, activated.get(Fate.CALLED.value, 0)),
        holdout=Afterwards(found.held_out, activated.get(Fate.HELD.value, 0)),
        calls=calls,
    )


def unknown_texts(engine: Engine, blast: Blast, *, after: str, most: int) -> list[UnknownText]:
    """Those behind the id `after` (empty for the first), in the order of their ids."""
    m = schema.message
    query = (
        select(m.c.shopper_id, m.c.id, m.c.ended_at)
        .where(m.c.blast_id == blast.id, m.c.state == "unknown", m.c.id > after)
        .order_by(m.c.id)
        .limit(most)
    )
    with engine.connect() as connection:
        return [UnknownText(*row) for row in connection.execute(query)]


def _of(people: Mapping[tuple[str, str], int], fate: Fate) -> dict[str, int]:
    return {reason: n for (state, reason), n in people.items() if state == fate.value}


def _people(connection: Connection, blast_id: int) -> dict[tuple[str, str], int]:
    """Recipients without a text or a call, by fate and reason."""
    r = schema.blast_recipient
    untexted = r.c.state != Fate.TEXTED.value  # as the index has it
    query = (
        select(r.c.state, r.c.reason, func.count())
        .where(r.c.blast_id == blast_id, untexted, r.c.state != Fate.CALLED.value)
        .group_by(r.c.state, r.c.reason)
    )
    return {(state, reason or ""): n for state, reason, n in connection.execute(query)}


def _texts(connection: Connection, blast: Blast) -> dict[tuple[str, str], int]:
    """Texts by state, those that failed by cause. What was put off or denied is told by people."""
    m = schema.message
    own = m.c.blast_id == blast.id
    if blast.channel == Channel.CALL:
        first, behind = asked_range(blast.id)
        own = and_(m.c.id >= first, m.c.id < behind)
    counted = select(m.c.state, func.count()).where(own).group_by(m.c.state)
    found = {(state, ""): n for state, n in connection.execute(counted)}
    if found.pop(("failed", ""), 0):
        causes = (
            select(func.coalesce(m.c.error, ""), func.count())
            .where(own, m.c.state == "failed")
            .group_by(m.c.error)
        )
        found |= {("failed", error): n for error, n in connection.execute(causes)}
    return found


def _opted_out(connection: Connection, blast: Blast) -> int:
    """How many withdrew their consent after the text had been sent."""
    c, r, m = schema.consent_entry, schema.blast_recipient, schema.message
    query = (
        select(func.count(distinct(c.c.shopper_id)))
        .select_from(c)
        .join(r, and_(r.c.blast_id == blast.id, r.c.shopper_id == c.c.shopper_id))
        .join(m, m.c.id == r.c.message_id)
        .where(c.c.firm_id == blast.firm_id, c.c.state == "withdrawn", m.c.accepted_at <= c.c.said_at)
    )
    return int(connection.scalar(query) or 0)


def _activated(connection: Connection, blast: Blast) -> dict[str, int]:
    """Who activated a code after the text was sent, or after the launch where they were held out."""
    a, r, m = schema.activation, schema.blast_recipient, schema.message
    afterwards: Any = or_(
        r.c.state == Fate.HELD.value, and_(m.c.state.in_(SENT), m.c.accepted_at <= a.c.claimed_at)
    )
    query = (
        select(r.c.state, func.count(distinct(a.c.shopper_id)))
        .select_from(a)
        .join(r, and_(r.c.blast_id == blast.id, r.c.shopper_id == a.c.shopper_id))
        .outerjoin(m, m.c.id == r.c.message_id)
        .where(a.c.id > blast.last_activation, a.c.firm_id == blast.firm_id, afterwards)
        .group_by(r.c.state)
    )
    return {str(state): int(n) for state, n in connection.execute(query)}
