"""Blasts that have not begun: edited, copied, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from campaigns.context import Desk
from campaigns.errors import Refused, Stale, Unknown
from campaigns.lifecycle import draft, lifecycle
from campaigns.lifecycle.draft import NewBlast
from campaigns.preflight.preflight import preflight
from gateway.domain.offers.blast import EDITABLE, State
from gateway.domain.offers.offer_call import CallPlan
from gateway.domain.offers.sample import MILLION
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast, Changed, Followed, NotNow

FIXED: Final = frozenset({"follows"})  # what a blast is; another one is another blast
MOST_NAME: Final = 100
_COPY: Final = " (copy)"


def edit(desk: Desk, blast: Blast, changes: Mapping[str, Any], *, seen: int, now: int) -> Blast:
    """Change fields of NewBlast, all or nothing; one that is not named stays as it is.

    `seen`: the revision that was looked at. `now`: ms since 1970. A blast that is to begin by itself is
    looked at again as by a launch. Raises Refused with all that is wrong, Stale where somebody was faster.
    """
    if blast.revision != seen:
        raise Stale(blast.id, blast.revision)
    if fixed := FIXED & changes.keys():
        raise Refused(*(f"{name}: cannot become another one: add a new blast" for name in sorted(fixed)))
    if "call" in changes and (changes["call"] is None) is not (blast.call is None):
        raise Refused("call: a blast that writes cannot call, nor the other way round: add a new blast")
    _refuse_begun(blast)
    wanted = replace(as_new(blast), **_follow_up(blast, changes))
    values = draft.columns(desk, blast.firm_id, wanted, now)
    if blast.state is State.SCHEDULED:
        _look(desk, blast._replace(**values), now)
    try:
        return blasts.rewrite(desk.engine, blast.id, values, seen=seen)
    except NotNow as err:
        _refuse_begun(blast._replace(state=err.state, launched_at=now if err.begun else None))
        raise Refused(f"the blast is {err.state.value}: it cannot be edited any more") from err
    except Changed as err:
        raise Stale(blast.id, err.revision) from err
    except LookupError as err:
        raise Unknown(f"there is no blast {blast.id}") from err


def copy(desk: Desk, blast: Blast, now: int, *, name: str | None = None) -> Blast:
    """A draft like it, without its times: it starts when it is launched, and expires a week later.

    Raises Refused where it could not be made anew as it is.
    """
    called = name or blast.name[: MOST_NAME - len(_COPY)] + _COPY
    new = replace(as_new(blast), name=called, starts_at=None, expires_at=None)
    return draft.create(desk, blast.firm_id, new, now)


def delete(desk: Desk, blast: Blast, now: int) -> None:
    """It goes, if nothing of it ever began: what was sent, and to whom, stays on record. Raises Refused."""
    try:
        blasts.remove(desk.engine, blast.id, now)
    except NotNow as err:
        if err.begun:
            told = "was launched: whom it has reached stays on record, so it cannot be deleted"
            raise Refused(f"blast {blast.id} {told}") from err
        raise Refused(f"blast {blast.id} is {err.state.value}: cancel it first") from err
    except Followed as err:
        others = ", ".join(map(str, err.ids))
        raise Refused(f"blast {others} follows it: delete that first") from err
    except LookupError as err:
        raise Unknown(f"there is no blast {blast.id}") from err


def as_new(blast: Blast) -> NewBlast:
    """As its marketer has asked for it."""
    return NewBlast(
        name=blast.name,
        campaign=blast.campaign_id,
        texts=dict(blast.texts),
        audience=None if blast.follows else blast.audience_id,
        follows=blast.follows,
        follow_after_s=blast.follow_after_s,
        call=None if blast.call is None else CallPlan.model_validate(blast.call, strict=False),
        fallback=blast.fallback,
        short_number=blast.short_number,
        holdout=blast.holdout / MILLION,
        spread_s=blast.spread_s,
        error_share=blast.error_share / MILLION,
        starts_at=blast.starts_at,
        expires_at=blast.expires_at,
    )


def _follow_up(blast: Blast, changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What follows from other changes, where it is not said: the fallback of other words, the number of
    another campaign.
    """
    followed: dict[str, Any] = {}
    if "texts" in changes and blast.fallback not in changes["texts"]:
        followed["fallback"] = None
    if changes.get("campaign", blast.campaign_id) != blast.campaign_id:
        followed["short_number"] = None
    return {**followed, **changes}


def _look(desk: Desk, edited: Blast, now: int) -> None:
    """Raises Refused for what would forbid its launch."""
    if (edited.starts_at or 0) <= now:
        raise Refused("starts_at: a scheduled blast needs a time to come; launch it to start it now")
    found = preflight(desk, edited, now, most=lifecycle.LOOKED_AT_LAUNCH)
    if found.forbids:
        raise Refused(*found.forbids)


def _refuse_begun(blast: Blast) -> None:
    if blast.launched_at is not None:
        raise Refused(f"blast {blast.id} has begun: it can be paused or cancelled; `copy` makes another one")
    if blast.state not in EDITABLE:
        raise Refused(f"blast {blast.id} is {blast.state.value}: `copy` makes another one")
