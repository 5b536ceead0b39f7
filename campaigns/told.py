"""Audiences and blasts as they are told: times in words, counts of people from ten on, nobody's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from campaigns.call_load import CallLoad
from campaigns.call_results import Calls
from campaigns.desk import Desk
from campaigns.preflight import Preflight
from campaigns.preview import Seen
from campaigns.results import Afterwards, Results
from campaigns.text_estimate import TextLoad
from gateway.domain import instants
from gateway.domain.draw import MILLION
from gateway.domain.floor import LEAST, told
from gateway.domain.offer_call import Outcome
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
    """A blast and how far it is. `drawn`: recipients looked at so far, of `expected`.

    Of one that follows another nobody knows how many to expect.
    """
    return {
        "id": found.id,
        "name": found.name,
        "state": found.state.value,
        "why": found.why,
        "channel": found.channel,
        "audience": found.audience_id,
        "follows": found.follows,
        "follow_after_s": found.follow_after_s,
        "call": found.call,
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
        "expected": told(found.expected) if found.launched_at and not found.follows else None,
        "drawn": told(found.drawn) if found.launched_at else None,
    }


def preflight(found: Preflight) -> dict[str, Any]:
    """What would happen: `segments` of texts, or `calls`; neither where nobody can be reached yet.

    Where only a part of the audience was looked at, the rest is taken to be like it.
    """
    forecast = found.forecast
    people = _estimated(found)
    return {
        **_load(found.load),
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
        "finishes_at": time(forecast.finishes_at if forecast else None),
    }


def _load(found: TextLoad | CallLoad | None) -> dict[str, Any]:
    if found is None:
        return {}
    if isinstance(found, TextLoad):
        total = round(found.texts * found.per_text)
        return {
            "segments": {
                "total": total,
                "of_a_text": round(found.per_text, 2),
                "at_most": dict(found.longest),
            }
        }
    return {
        "calls": {
            "expected": told(round(found.calls)),
            "per_s": round(found.per_s, 2),
            "talk_minutes": round(found.talk_minutes),
            "ring_minutes": round(found.ring_minutes),
            "assumed": found.assumed(),
        }
    }


def results(found: Results) -> dict[str, Any]:
    """What became of it. Texts are counted as they are; what people did from ten on."""
    reached = "texted" if found.calls is None else "called"
    return {
        **({} if found.calls is None else {"calls": _calls(found.calls)}),
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
        "activated": {reached: _afterwards(found.reached), "held_out": _afterwards(found.holdout)},
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
    return instants.told(ms, "seconds")


def _calls(found: Calls) -> dict[str, Any]:
    """Unknown ones are listed one by one, so they are counted as they are."""
    by_outcome = dict(found.by_outcome)
    return {
        "waiting": found.waiting,
        "calling": found.calling,
        "unknown": by_outcome.pop(Outcome.UNKNOWN, 0),
        "by_outcome": counts(by_outcome),
        "talked_minutes": round(found.talked_s / 60, 1),
    }


def _afterwards(found: Afterwards) -> dict[str, Any]:
    shown = found.share is not None and told(found.activated) == found.activated
    share = round(found.share, 4) if shown and found.share is not None else None
    return {"people": told(found.people), "activated": told(found.activated), "share": share}
