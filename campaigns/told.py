"""Audiences and blasts as they are told: times in words, counts of people from ten on, nobody's number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from campaigns.call_load import CallLoad
from campaigns.call_results import Calls
from campaigns.desk import Desk
from campaigns.preflight import Preflight
from campaigns.preview import Seen
from campaigns.results import Afterwards, Results
from campaigns.text_estimate import TextLoad
from campaigns.uploads import Taken
from gateway.domain import instants
from gateway.domain.draw import MILLION
from gateway.domain.floor import LEAST, is_hidden, parts, tens, told
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
    held, now, deferred, denied = _parts(found)
    return {
        **_load(found.load),
        "at": time(found.at),
        "may_launch": not found.forbids,
        "forbids": found.forbids,
        "warns": found.warns,
        "audience": told(found.audience),
        "looked_at": told(found.looked),
        "held_out": held,
        "now": now,
        "deferred": [{"until": time(at), "people": n} for at, n in deferred.items()],
        "denied": denied,
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


def results(found: Results) -> dict[str, Any]:
    """What became of it, in counts from ten on. Unknown ones are listed, so they are told as they are."""
    reached = "texted" if found.calls is None else "called"
    shown = parts(_together(found))
    fewer = any(is_hidden(n) for n in _together(found).values())
    by_word = {kind: {w: n for (k, w), n in shown.items() if k == kind} for kind in _BY_WORD}
    of = {kind: n for (kind, word), n in shown.items() if not word}
    return {
        **({} if found.calls is None else {"calls": _calls(found.calls, of, by_word["by_outcome"])}),
        "texts_by_state": {
            **({name: of[name] for name in _STATES} if found.calls is None else _asked_for(found)),
            "failed": by_word["failed"] if found.calls is None else counts(found.failed),
            "unknown": found.unknown,
        },
        "deferred": by_word["deferred"],
        "denied": by_word["denied"],
        "cancelled": of["cancelled"],
        "not_reached": of["not_reached"],
        "held_out": of["held_out"],
        "opted_out": told(found.opted_out),
        "activated": {
            reached: _afterwards(found.reached, fewer=fewer),
            "held_out": _afterwards(found.holdout, fewer=fewer),
        },
    }


_BY_WORD = ("failed", "deferred", "denied", "by_outcome")


def _together(found: Results) -> dict[tuple[str, str], int]:
    """The parts of all its recipients: what is told of each word, or of each kind without one."""
    calls = found.calls
    kinds = {"cancelled": found.cancelled, "not_reached": found.not_reached, "held_out": found.held_out}
    words: dict[str, Mapping[str, int]] = {"deferred": found.deferred, "denied": found.denied}
    if calls is None:
        kinds |= {name: getattr(found, name) for name in _STATES}
        words["failed"] = found.failed
    else:
        kinds |= {"waiting": calls.waiting, "calling": calls.calling}
        words["by_outcome"] = {w: n for w, n in calls.by_outcome.items() if w != Outcome.UNKNOWN}
    by_word = {(kind, word): n for kind, some in words.items() for word, n in sorted(some.items())}
    return {(kind, ""): n for kind, n in kinds.items()} | by_word


_STATES = ("queued", "sent", "delivered", "expired")


def _asked_for(found: Results) -> dict[str, int | str]:
    """Texts that key 1 has sent, which are no recipients of their own."""
    return {name: told(getattr(found, name)) for name in _STATES}


def seen(found: Seen) -> dict[str, Any]:
    """A text of a preview."""
    return found._asdict()


_Told = int | str


def _parts(found: Preflight) -> tuple[_Told, _Told, dict[int, _Told], dict[str, _Told]]:
    """Held out, now, deferred by hour and denied by reason, which are the audience together."""
    deferred, denied = sorted(found.deferred.items()), sorted(found.denied.items())
    counts = {("held", ""): found.held, ("now", ""): found.now}
    counts |= {("deferred", str(at)): n for at, n in deferred} | {("denied", why): n for why, n in denied}
    shown = _estimated(found, counts)
    return (
        shown["held", ""],
        shown["now", ""],
        {at: shown["deferred", str(at)] for at, _ in deferred},
        {why: shown["denied", why] for why, _ in denied},
    )


def _estimated(found: Preflight, counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], _Told]:
    """What counts of those looked at say of the audience; few are not told, however many they mean."""
    shown = parts(counts)
    if not found.looked or found.looked >= found.audience:
        return shown
    each = found.audience / found.looked

    def scaled(which: tuple[str, str], n: int) -> _Told:
        if is_hidden(n):
            return f"fewer than {round(LEAST * each)}"
        return round(n * each) if shown[which] == n else f"about {round(round(n / LEAST) * LEAST * each)}"

    return {which: scaled(which, n) for which, n in counts.items()}


def counts(people: Mapping[str, int]) -> dict[str, int | str]:
    """Counts of people by a word."""
    return {word: told(n) for word, n in sorted(people.items())}


def time(ms: int | None) -> str | None:
    """RFC 3339, UTC."""
    return instants.told(ms, "seconds")


def _calls(found: Calls, of: Mapping[str, int | str], by_outcome: Mapping[str, int | str]) -> dict[str, Any]:
    """How long few have talked is not told either."""
    return {
        "waiting": of["waiting"],
        "calling": of["calling"],
        "unknown": found.by_outcome.get(Outcome.UNKNOWN, 0),
        "by_outcome": dict(by_outcome),
        "talked_minutes": None if is_hidden(found.talked) else round(found.talked_s / 60, 1),
    }


def _afterwards(found: Afterwards, *, fewer: bool) -> dict[str, Any]:
    """`fewer`: some of those recipients are too few to be told, so all of them are told in tens."""
    people: int | str = told(found.people)
    if fewer and people == found.people and people:
        people = f"about {tens(found.people)}"
    shown = found.share is not None and told(found.activated) == found.activated
    share = round(found.share, 2 if fewer else 4) if shown and found.share is not None else None
    return {"people": people, "activated": told(found.activated), "share": share}
