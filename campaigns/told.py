"""Audiences and blasts as they are told: times in words, counts of people from ten on, nobody's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from campaigns.desk import Desk
from campaigns.preflight import Preflight
from campaigns.preview import Seen
from campaigns.results import Afterwards, Results
from gateway.domain.draw import MILLION
from gateway.domain.floor import LEAST, told
from gateway.store.audiences import Audience, Member
from gateway.store.blasts import Blast


def audience(found: Audience) -> dict[str, Any]:
    """An audience, uncounted."""
    return {
        "id": found.id,
        "name": found.name,
        "definition": found.definition.model_dump(mode="json", exclude_none=True),
        "created_at": time(found.created_at),
    }


def member(desk: Desk, firm_id: int, found: Member) -> dict[str, Any]:
    """A shopper of an audience, under the firm's own name."""
    return {
        "reference": desk.reference(firm_id, found.shopper_id),
        "language": found.language,
        "region": found.prefix,
        "points": found.points,
    }


def blast(found: Blast) -> dict[str, Any]:
    """A blast and how far it is. `drawn`: recipients looked at so far, of `expected`."""
    return {
        "id": found.id,
        "name": found.name,
        "state": found.state.value,
        "why": found.why,
        "audience": found.audience_id,
        "campaign": found.campaign_id,
        "short_number": found.short_number,
        "texts": dict(found.texts),
        "fallback": found.fallback,
        "holdout": found.holdout / MILLION,
        "spread_s": found.spread_s,
        "error_share": found.error_share / MILLION,
        "starts_at": time(found.starts_at),
        "expires_at": time(found.expires_at),
        "created_at": time(found.created_at),
        "launched_at": time(found.launched_at),
        "ended_at": time(found.ended_at),
        "expected": told(found.expected) if found.launched_at else None,
        "drawn": told(found.drawn) if found.launched_at else None,
    }


def preflight(found: Preflight) -> dict[str, Any]:
    """What would happen. Where only a part of the audience was looked at, the rest is taken to be like it."""
    forecast = found.forecast
    people = _estimated(found)
    return {
        "at": time(found.at),
        "may_launch": not found.forbids,
        "forbids": found.forbids,
        "warns": found.warns,
        "audience": told(found.audience),
        "looked_at": told(found.looked),
        "held_out": people(found.held),
        "now": people(found.now),
        "deferred": [{"until": time(at), "people": people(n)} for at, n in sorted(found.deferred.items())],
        "denied": {reason: people(n) for reason, n in sorted(found.denied.items())},
        "segments": {
            "total": round(found.texts * found.segments),
            "of_a_text": round(found.segments, 2),
            "at_most": found.longest,
        },
        "finishes_at": time(forecast.finishes_at if forecast else None),
    }


def results(found: Results) -> dict[str, Any]:
    """What became of it. Texts are counted as they are; what people did from ten on."""
    return {
        "texts_by_state": {
            "queued": found.queued,
            "sent": found.sent,
            "delivered": found.delivered,
            "failed": dict(found.failed),
            "expired": found.expired,
            "unknown": found.unknown,
        },
        "deferred": counts(found.deferred),
        "denied": counts(found.denied),
        "cancelled": told(found.cancelled),
        "not_reached": told(found.not_reached),
        "held_out": told(found.held_out),
        "opted_out": told(found.opted_out),
        "activated": {"texted": _afterwards(found.texted), "held_out": _afterwards(found.holdout)},
    }


def seen(found: Seen) -> dict[str, Any]:
    """A text of a preview."""
    return found._asdict()


def _estimated(found: Preflight) -> Callable[[int], int | str]:
    """What a count of those looked at says of the audience; few are not told, however many it means."""
    if not found.looked or found.looked >= found.audience:
        return told
    each = found.audience / found.looked
    return lambda n: round(n * each) if n >= LEAST else f"fewer than {round(LEAST * each)}"


def counts(people: Mapping[str, int]) -> dict[str, int | str]:
    """Counts of people by a word."""
    return {word: told(n) for word, n in sorted(people.items())}


def time(ms: int | None) -> str | None:
    """RFC 3339, UTC."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _afterwards(found: Afterwards) -> dict[str, Any]:
    shown = found.share is not None and told(found.activated) == found.activated
    share = round(found.share, 4) if shown and found.share is not None else None
    return {"people": told(found.people), "activated": told(found.activated), "share": share}
