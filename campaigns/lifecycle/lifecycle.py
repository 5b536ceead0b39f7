"""The life of a blast as its marketer leads it: scheduled, launched, paused, resumed, cancelled.

SQL is written first, Redis is told next; what Redis could not be told, the sweep tells it. A state that was
told never gives way to an older one.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from campaigns.context import Desk
from campaigns.errors import Refused, Stale, Unknown
from campaigns.fan_out import error_threshold
from campaigns.preflight.preflight import Preflight, preflight
from gateway.domain.offers.blast import State, Word, where
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast, Changed, NotNow
from gateway.store.sql import schema

FORBIDDEN: Final = "preflight forbids"
LOOKED_AT_LAUNCH: Final = 20_000  # of an audience; a preflight looks at all


def launch(desk: Desk, blast: Blast, now: int) -> Blast:
    """Start it now, or at its time where that is to come.

    Raises Refused for what the preflight forbids, Stale where it was edited meanwhile: what leaves is what
    was looked at.
    """
    found = preflight(desk, blast, now, most=LOOKED_AT_LAUNCH)
    if found.forbids:
        raise Refused(*found.forbids)
    if (blast.starts_at or 0) > now:
        return _turn(desk, blast, Word.SCHEDULE, now, seen=blast.revision)
    return _begin(desk, blast, Word.LAUNCH, found, now)


def pause(desk: Desk, blast: Blast, now: int, *, why: str | None = None) -> Blast:
    """Nothing more of it leaves; what waits is put off until it goes on. `why`: where nobody has asked."""
    return _turn(desk, blast, Word.PAUSE, now, why=why)


def resume(desk: Desk, blast: Blast, now: int) -> Blast:
    """Go on. What has failed so far is taken as seen, and does not pause it again.

    One that was paused before it began is looked at as by a launch, and waits for its time. Raises Refused.
    """
    if blast.launched_at is None:
        found = preflight(desk, blast, now, most=LOOKED_AT_LAUNCH)
        if found.forbids:
            raise Refused(*found.forbids)
        if (blast.starts_at or 0) > now:
            return _turn(desk, blast, Word.RESCHEDULE, now, seen=blast.revision)
        return _begin(desk, blast, Word.RESUME, found, now)
    return _turn(desk, blast, Word.RESUME, now, failed_before=error_threshold.failed(desk.engine, blast))


def start_due(desk: Desk, blast: Blast, now: int) -> Blast:
    """The time of a scheduled one has come; it is paused instead where the preflight forbids it by now."""
    try:
        return launch(desk, blast, now)
    except Stale:
        return of_firm(desk, blast.firm_id, blast.id)  # the next look sees what it has become
    except Refused:
        return pause(desk, blast, now, why=FORBIDDEN)


def cancel(desk: Desk, blast: Blast, now: int) -> Blast:
    """Nothing more of it leaves, for good."""
    return _turn(desk, blast, Word.CANCEL, now)


def expire(desk: Desk, blast: Blast, now: int) -> Blast:
    """Its time is over."""
    return _turn(desk, blast, Word.EXPIRE, now)


def of_firm(desk: Desk, firm_id: int, blast_id: int) -> Blast:
    """The firm's blast of this id. Raises Unknown."""
    found = blasts.find(desk.engine, blast_id, firm=firm_id)
    if found is None:
        raise Unknown(f"there is no blast {blast_id}")
    return found


def _begin(desk: Desk, blast: Blast, word: Word, found: Preflight, now: int) -> Blast:
    a = schema.activation
    with desk.engine.connect() as connection:
        last = int(connection.scalar(select(func.max(a.c.id))) or 0)
    changes = {"expected": found.audience, "launched_at": now, "last_activation": last}
    return _turn(desk, blast, word, now, seen=blast.revision, **changes)


def _turn(
    desk: Desk, blast: Blast, word: Word, now: int, *, seen: int | None = None, **changes: object
) -> Blast:
    try:
        turned = blasts.turn(desk.engine, blast.id, word, now, seen=seen, **changes)
    except Changed as err:
        raise Stale(blast.id, err.revision) from err
    except LookupError as err:
        raise Unknown(f"there is no blast {blast.id}") from err
    except NotNow as err:
        possible = ", ".join(state.value for state in where(word))
        told = f"the blast is {err.state.value}; it can {word.value} only while it is {possible}"
        raise Refused(told) from err
    if turned.state is not State.SCHEDULED:  # nothing of it leaves before it runs
        desk.offers.tell(turned.firm_id, turned.id, turned.state, turned.revision)
    return turned
