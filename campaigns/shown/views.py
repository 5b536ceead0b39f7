"""Audiences and blasts as they are told: times in words, counts of people from ten on, nobody's number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from campaigns.context import Desk
from campaigns.preflight.call_load import CallLoad
from campaigns.preflight.preflight import Preflight
from campaigns.preflight.preview import Seen
from campaigns.preflight.text_estimate import TextLoad
from campaigns.shown.call_results import Calls
from campaigns.shown.results import Afterwards, Results
from campaigns.shown.uploads import Taken
from gateway.domain.offers.least_count import Veil, told
from gateway.domain.offers.offer_call import Outcome
from gateway.domain.offers.sample import MILLION
from gateway.domain.written import instants
from gateway.store.offers.audiences import Audience, Member
from gateway.store.offers.blasts import Blast


def audience(found: Audience) -> dict[str, Any]:
    """An audience, uncounted."""
    return {
        "id": found.id,
        "name": found.name,
        "definition": found.definition.model_dump(mode="json", exclude_none=True),
        "created_at": time(found.created_at),
    }


def shoppers(desk: Desk, found: Audience) -> int | str:
    """How many shoppers an audience has, in tens; none is told as none, as a sample of them shows."""
    draw = desk.set_draw(found.firm_id)
    count, of = desk.audiences.crowd(found, desk.clock(), draw)
    return desk.veil(found.firm_id).told(count, f"shoppers/{of}") if count else 0


def taken(found: Taken) -> dict[str, Any]:
    """What became of a list that was uploaded; what was left out by its place in it."""
    return {
        "received": found.received,
        "known": found.known,
        "refused": [{"pointer": f"#/references/{at}", "detail": f"{why}."} for at, why in found.refused],
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
        "revision": found.revision,
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
    later = {at: found.shown("deferred", str(at), n) for at, n in sorted(found.deferred.items())}
    why = {reason: found.shown("denied", reason, n) for reason, n in sorted(found.denied.items())}
    return {
        **_load(found.load),
        "at": time(found.at),
        "may_launch": not found.forbids,
        "forbids": found.forbids,
        "warns": found.warns,
        "audience": told(found.audience),
        "looked_at": told(found.looked),
        "held_out": found.shown("held", "", found.held),
        "now": found.shown("now", "", found.now),
        "deferred": [{"until": time(at), "people": n} for at, n in later.items() if not isinstance(n, str)],
        "denied": _some(why),
        "finishes_at": time(forecast.finishes_at if forecast else None),
    }


def _load(found: TextLoad | CallLoad | None) -> dict[str, Any]:
    if found is None:
        return {}
    if isinstance(found, TextLoad):
        return {
            "segments": {
                "total": round(found.texts * found.per_text),
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


def results(found: Results, blast_id: int, veil: Veil) -> dict[str, Any]:
    """What became of it, in tens. Unknown ones are listed, so they are told as they are."""

    def shown(kind: str, count: int) -> int | str:
        return veil.told(count, f"{blast_id}/{kind}")

    def by_word(kind: str, counts: Mapping[str, int]) -> dict[str, int | str]:
        return _some({word: shown(f"{kind}/{word}", n) for word, n in sorted(counts.items())})

    def afterwards(who: str, of: Afterwards) -> dict[str, Any]:
        people, activated = shown(f"{who}/people", of.people), shown(f"{who}/activated", of.activated)
        both = isinstance(people, int) and isinstance(activated, int)
        share = round(min(1.0, activated / people), 2) if both else None  # type: ignore[operator]
        return {"people": people, "activated": activated, "share": share}

    reached = "texted" if found.calls is None else "called"
    return {
        **({} if found.calls is None else {"calls": _calls(found.calls, shown, by_word)}),
        "texts_by_state": {
            **{name: shown(name, getattr(found, name)) for name in _STATES},
            "failed": by_word("failed", found.failed),
            "unknown": found.unknown,
        },
        "deferred": by_word("deferred", found.deferred),
        "denied": by_word("denied", found.denied),
        **{name: shown(name, getattr(found, name)) for name in ("cancelled", "not_reached", "held_out")},
        "opted_out": shown("opted_out", found.opted_out),
        "activated": {
            reached: afterwards("reached", found.reached),
            "held_out": afterwards("holdout", found.holdout),
        },
    }


_STATES = ("queued", "sent", "delivered", "expired")


def seen(found: Seen) -> dict[str, Any]:
    """A text of a preview."""
    return found._asdict()


def _some(people: Mapping[str, int | str]) -> dict[str, int | str]:
    """Parts by a word; that there are a few of some word would tell of these."""
    return {word: n for word, n in people.items() if not isinstance(n, str)}


def time(ms: int | None) -> str | None:
    """RFC 3339, UTC."""
    return instants.told(ms, "seconds")


def _calls(
    found: Calls,
    shown: Callable[[str, int], int | str],
    by_word: Callable[[str, Mapping[str, int]], dict[str, int | str]],
) -> dict[str, Any]:
    """How long few have talked is not told either."""
    outcomes = {word: n for word, n in found.by_outcome.items() if word != Outcome.UNKNOWN}
    talked = shown("talked", found.talked)
    return {
        "waiting": shown("waiting", found.waiting),
        "calling": shown("calling", found.calling),
        "unknown": found.by_outcome.get(Outcome.UNKNOWN, 0),
        "by_outcome": by_word("by_outcome", outcomes),
        "talked_minutes": None if isinstance(talked, str) else round(found.talked_s / 60),
    }
