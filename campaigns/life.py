"""The life of a blast as its marketer leads it: made, scheduled, launched, paused, resumed, cancelled.

SQL is written first, Redis is told next; what Redis could not be told, the sweep tells it. A state that was
told never gives way to an older one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from campaigns import failures
from campaigns.desk import Desk
from campaigns.preflight import Preflight, preflight
from campaigns.refused import Refused, Unknown
from gateway.domain import offer
from gateway.domain.blast import State, Word, where
from gateway.domain.catalog import Campaign
from gateway.domain.draw import MILLION
from gateway.domain.offer import Template
from gateway.store import blasts, schema
from gateway.store.blasts import Blast, NotNow

DAY_MS: Final = 86_400_000
EXPIRES_AFTER_MS: Final = 7 * DAY_MS
MOST_DAYS: Final = 90
FORBIDDEN: Final = "preflight forbids"
LOOKED_AT_LAUNCH: Final = 20_000  # of an audience; a preflight looks at all


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBlast:
    """What a marketer asks for. Times in ms since 1970; shares from 0 up to 1.

    `short_number`: None takes the campaign's. `fallback`: None takes the campaign's language, where it has a
    text, else the first one. `expires_at`: None is a week after its start.
    """

    name: str
    audience: int
    campaign: int
    texts: Mapping[str, str]
    fallback: str | None = None
    short_number: str | None = None
    holdout: float = 0.0
    spread_s: int = 0
    error_share: float = 0.05
    starts_at: int | None = None
    expires_at: int | None = None


def create(desk: Desk, firm_id: int, new: NewBlast, now: int) -> Blast:
    """A draft. Raises Refused with all that is wrong."""
    campaign = desk.catalog().campaigns.get(new.campaign)
    audience = desk.audiences.find(firm_id, new.audience)
    why = []
    if audience is None:
        why.append(f"there is no audience {new.audience}: see the list of audiences")
    if campaign is None or campaign.firm_id != firm_id:
        raise Refused(*why, f"there is no campaign {new.campaign} of this firm")
    number = _short_number(desk, campaign, new.short_number)
    if not number:
        why.append("short_number: is needed, one that this campaign uses")
    begins = max(now, new.starts_at or 0)
    expires_at = new.expires_at or begins + EXPIRES_AFTER_MS
    if not begins < expires_at <= begins + MOST_DAYS * DAY_MS:
        why.append(f"expires_at: after the start, and at most {MOST_DAYS} days after it")
    template = Template(words=dict(new.texts), fallback=_fallback(new, campaign))
    firm = desk.catalog().firms[firm_id]
    setting = offer.Setting(campaign=campaign.name, firm=firm, timezone=campaign.timezone)
    why += offer.faults(template, setting, most_segments=desk.most_segments)
    if why:
        raise Refused(*why)
    values: dict[str, Any] = {
        "firm_id": firm_id,
        "name": new.name,
        "channel": "sms",
        "audience_id": new.audience,
        "campaign_id": campaign.id,
        "short_number": number,
        "texts": dict(template.words),
        "fallback": template.fallback,
        "holdout": round(new.holdout * MILLION),
        "spread_s": new.spread_s,
        "error_share": round(new.error_share * MILLION),
        "starts_at": new.starts_at,
        "expires_at": expires_at,
        "created_at": now,
    }
    return blasts.add(desk.engine, values)


def launch(desk: Desk, blast: Blast, now: int) -> Blast:
    """Start it now, or at its time where that is to come. Raises Refused for what the preflight forbids."""
    found = preflight(desk, blast, now, most=LOOKED_AT_LAUNCH)
    if found.forbids:
        raise Refused(*found.forbids)
    if (blast.starts_at or 0) > now:
        return _turn(desk, blast, Word.SCHEDULE, now)
    return _begin(desk, blast, Word.LAUNCH, found, now)


def pause(desk: Desk, blast: Blast, now: int, *, why: str | None = None) -> Blast:
    """Nothing more of it leaves; what waits is put off until it goes on. `why`: where nobody has asked."""
    return _turn(desk, blast, Word.PAUSE, now, why=why)


def resume(desk: Desk, blast: Blast, now: int) -> Blast:
    """Go on. What has failed so far is taken as seen, and does not pause it again.

    One that was paused before it began is looked at as by a launch. Raises Refused.
    """
    if blast.launched_at is None:
        found = preflight(desk, blast, now, most=LOOKED_AT_LAUNCH)
        if found.forbids:
            raise Refused(*found.forbids)
        return _begin(desk, blast, Word.RESUME, found, now)
    return _turn(desk, blast, Word.RESUME, now, failed_before=failures.failed(desk.engine, blast))


def start_due(desk: Desk, blast: Blast, now: int) -> Blast:
    """The time of a scheduled one has come; it is paused instead where the preflight forbids it by now."""
    try:
        return launch(desk, blast, now)
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
    return _turn(desk, blast, word, now, **changes)


def _turn(desk: Desk, blast: Blast, word: Word, now: int, **changes: object) -> Blast:
    try:
        turned = blasts.turn(desk.engine, blast.id, word, now, **changes)
    except NotNow as err:
        possible = ", ".join(state.value for state in where(word))
        told = f"the blast is {err.state.value}; it can {word.value} only while it is {possible}"
        raise Refused(told) from err
    if turned.state is not State.SCHEDULED:  # nothing of it leaves before it runs
        desk.offers.tell(turned.firm_id, turned.id, turned.state, turned.revision)
    return turned


def _short_number(desk: Desk, campaign: Campaign, wanted: str | None) -> str:
    c = schema.campaign_short_number
    with desk.engine.connect() as connection:
        query = select(c.c.number).where(c.c.campaign_id == campaign.id).order_by(c.c.number)
        numbers = list(connection.scalars(query))
    if wanted is None:
        return numbers[0] if len(numbers) == 1 else ""
    return wanted if wanted in numbers else ""


def _fallback(new: NewBlast, campaign: Campaign) -> str:
    if new.fallback is not None:
        return new.fallback
    return campaign.language if campaign.language in new.texts else next(iter(new.texts), campaign.language)
