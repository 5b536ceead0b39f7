"""Drafts of blasts: what a marketer asks for, held against all that could never be sent or called."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from campaigns.context import Desk
from campaigns.errors import Refused
from campaigns.preflight import call_faults
from gateway.domain.codes.catalog import Campaign
from gateway.domain.consent.word import Channel
from gateway.domain.offers import offer
from gateway.domain.offers.cascade import FOLLOW_AFTER_S
from gateway.domain.offers.offer import Template
from gateway.domain.offers.offer_call import CallPlan
from gateway.domain.offers.sample import MILLION
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast
from gateway.store.sql import schema

DAY_MS: Final = 86_400_000
EXPIRES_AFTER_MS: Final = 7 * DAY_MS
MOST_DAYS: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBlast:
    """What a marketer asks for. Times in ms since 1970; shares from 0 up to 1.

    `audience`: None where it `follows` another blast, and takes those whom that one does not reach.
    `follow_after_s`: see gateway.domain.offers.cascade. `call`: how it calls; None: it writes. `texts`: what
    it writes, or what key 1 sends. `short_number`: None takes the campaign's. `fallback`: None takes the
    campaign's language, where it has a text, else the first one. `expires_at`: None is a week later.
    """

    name: str
    campaign: int
    texts: Mapping[str, str]
    audience: int | None = None
    follows: int | None = None
    follow_after_s: int | None = None
    call: CallPlan | None = None
    fallback: str | None = None
    short_number: str | None = None
    holdout: float = 0.0
    spread_s: int = 0
    error_share: float = 0.05
    starts_at: int | None = None
    expires_at: int | None = None

    @property
    def channel(self) -> Channel:
        """By which it reaches people."""
        return Channel.SMS if self.call is None else Channel.CALL


def create(desk: Desk, firm_id: int, new: NewBlast, now: int) -> Blast:
    """A draft. Raises Refused with all that is wrong."""
    values = columns(desk, firm_id, new, now)
    try:
        return blasts.add(desk.engine, {**values, "firm_id": firm_id, "created_at": now})
    except LookupError as err:
        raise Refused(f"there is no blast {new.follows} any more: see the list of blasts") from err


def columns(desk: Desk, firm_id: int, new: NewBlast, now: int) -> dict[str, Any]:
    """What a draft is in the table. `now`: ms since 1970. Raises Refused with all that is wrong."""
    campaign = desk.catalog().campaigns.get(new.campaign)
    followed = None if new.follows is None else blasts.find(desk.engine, new.follows, firm=firm_id)
    why = list(_whom(desk, firm_id, new, followed))
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
    if new.call is not None:
        why += call_faults.faults(desk, firm_id, new.call, template.fallback)
    if why:
        raise Refused(*why)
    values: dict[str, Any] = {
        "name": new.name,
        "channel": new.channel.value,
        "audience_id": followed.audience_id if followed else new.audience,
        "campaign_id": campaign.id,
        "short_number": number,
        "texts": dict(template.words),
        "fallback": template.fallback,
        "holdout": round(new.holdout * MILLION),
        "spread_s": new.spread_s,
        "error_share": round(new.error_share * MILLION),
        "starts_at": new.starts_at,
        "expires_at": expires_at,
    }
    return {**values, **_calls(new), **_follows(new, followed)}


def _whom(desk: Desk, firm_id: int, new: NewBlast, followed: Blast | None) -> Iterator[str]:
    if new.follows is None:
        if new.audience is None:
            yield "audience: is needed, or a blast whose unreached this one follows"
        elif desk.audiences.find(firm_id, new.audience) is None:
            yield f"there is no audience {new.audience}: see the list of audiences"
        if new.follow_after_s is not None:
            yield "follow_after_s: only of a blast that follows another one"
        return
    if new.audience is not None:
        yield "audience: is that of the blast that it follows; leave it out"
    if new.holdout or new.spread_s:
        yield "holdout, spread_s: are those of the blast that it follows; leave them out"
    if followed is None:
        yield f"there is no blast {new.follows}: see the list of blasts"
    elif followed.channel == new.channel:
        told = "calls" if new.call else "writes"
        yield f"follows: blast {followed.id} {told}, too; a blast follows one of the other channel"
    elif followed.channel == Channel.CALL and new.follow_after_s is not None:
        yield "follow_after_s: is of texts; who is called is not reached once the last attempt has failed"


def _calls(new: NewBlast) -> Mapping[str, Any]:
    return {} if new.call is None else {"call": new.call.model_dump(mode="json")}


def _follows(new: NewBlast, followed: Blast | None) -> Mapping[str, Any]:
    """One that follows is younger than what it follows, so there are no rings."""
    if followed is None:
        return {}
    after_s = None if followed.channel == Channel.CALL else new.follow_after_s or FOLLOW_AFTER_S
    return {"follows": followed.id, "follow_after_s": after_s}


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
