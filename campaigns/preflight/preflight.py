"""Preflight: the real decisions over all its people, without sending and without charging anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from campaigns.addressees import people_of
from campaigns.context import Desk
from campaigns.eligibility import Person, Reached
from campaigns.fan_out.opening import SEAL_BROKEN, opened
from campaigns.fan_out.words import setting_of
from campaigns.preflight.call_estimate import CallEstimate
from campaigns.preflight.call_load import CallLoad
from campaigns.preflight.forecast import HOUR_MS, Forecast, Openings
from campaigns.preflight.text_estimate import TextEstimate, TextLoad
from gateway.domain.consent.word import Channel
from gateway.domain.offers import offer
from gateway.domain.offers.least_count import LEAST, Veil
from gateway.domain.offers.sample import below, draw_of
from gateway.domain.policy.verdict import Allow, Defer, Deny, Reason
from gateway.store.offers.blasts import Blast

PAGE: Final = 2_000
SAMPLE: Final = 200  # recipients whose hours tell when it would be done


@dataclass(slots=True, kw_only=True)
class Preflight:
    """What would happen. Counts are of people; `deferred` by the hour in which it ends (ms since 1970).

    `audience`: how many there are, of a blast that follows another one so far; `looked`: how many of them
    were looked at. `forbids`: why it cannot be launched, `warns`: what its marketer should know; lines.
    `veil`: how its counts are told; `sets`: of each part, the sum of its people's places, which names them.
    """

    at: int
    audience: int
    looked: int = 0
    held: int = 0
    now: int = 0
    deferred: Counter[int] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    load: TextLoad | CallLoad | None = None  # None: there is nobody to tell it of
    forecast: Forecast | None = None
    forbids: list[str] = field(default_factory=list)
    warns: list[str] = field(default_factory=list)
    veil: Veil
    sets: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def reachable(self) -> int:
        """Of those looked at, now or later."""
        return self.now + self.deferred.total()

    @property
    def people(self) -> int:
        """As many as would be reached, were all of the audience like those who were looked at; in tens.

        0 where these are too few to be told: what they take would tell how many they are.
        """
        reached = sum(of for (kind, _), of in self.sets.items() if kind in ("now", "deferred"))
        shown = self.veil.told(self.reachable, f"reachable/{reached}")
        return 0 if isinstance(shown, str) else self.scaled(shown)

    def shown(self, kind: str, word: str, count: int) -> int | str:
        """A part as its firm may see it; where not all were looked at, of the whole audience."""
        shown = self.veil.told(count, f"{kind}/{word}/{self.sets[kind, word]}")
        if isinstance(shown, int):
            return self.scaled(shown)
        return shown if self.scaled(LEAST) == LEAST else f"fewer than {self.scaled(LEAST)}"

    def scaled(self, shown: int) -> int:
        """What so many of those looked at say of the audience."""
        if not self.looked or self.looked >= self.audience:
            return shown
        return round(shown * self.audience / self.looked / LEAST) * LEAST

    def note(self, kind: str, word: str, place: int) -> None:
        """Somebody of this place belongs to a part."""
        self.sets[kind, word] += place


class Estimate(Protocol):
    """What the channel takes: campaigns.preflight.text_estimate or campaigns.preflight.call_estimate."""

    def faults(self) -> Iterator[str]:
        """What forbids it whoever its people are."""

    def denied(self, allowed: Sequence[Reached], now: int) -> Mapping[int, str]:
        """Shopper ids whom the law allows, and who are denied all the same; the reason."""

    def add(self, reachable: Sequence[Reached]) -> None:
        """Those of a page who may be reached now or later."""

    def load(self, people: int) -> TextLoad | CallLoad:
        """What so many people like those would take."""

    def warns(self) -> Iterator[str]:
        """What the marketer should know."""

    def forecast(self, people: int, starts_at: int, openings: Openings) -> Forecast:
        """When so many would be done."""


def preflight(desk: Desk, blast: Blast, now: int, *, most: int | None = None) -> Preflight:
    """Look at all its people, or at the first `most`, at the moment when the blast would start.

    `now`: ms since 1970. Raises RedisError, SQLAlchemyError.
    """
    at = max(now, blast.starts_at or 0)
    audience, veil = people_of(desk, blast).count(now), desk.veil(blast.firm_id)
    found = Preflight(at=at, audience=audience, veil=veil)
    found.forbids += _standing_faults(desk, blast, at)
    if found.forbids:
        return found
    calls = blast.channel == Channel.CALL
    estimate: Estimate = CallEstimate(desk, blast) if calls else TextEstimate(desk, blast)
    found.forbids += estimate.faults()
    if found.forbids:
        return found
    sample = _look(desk, blast, estimate, found, most)
    _judge(blast, found)
    if found.forbids or not found.people:
        return found
    found.load = estimate.load(found.people)
    found.warns += estimate.warns()
    _foresee(desk, blast, estimate, found, sample)
    return found


def _standing_faults(desk: Desk, blast: Blast, at: int) -> Iterator[str]:
    catalog = desk.catalog()
    campaign = catalog.campaigns[blast.campaign_id]
    if campaign.state == "ended" or campaign.ends_at <= at:
        yield f"campaign {campaign.id} is over by then: take another one"
    if blast.expires_at <= at:
        yield "it expires before it starts: set expires_at later, or starts_at earlier"
    if not desk.links:
        yield "there is no link to an operator: ask yours"
    setting = setting_of(catalog, blast.firm_id, blast.campaign_id)
    yield from offer.faults(blast.template, setting, most_segments=desk.most_segments)


def _look(desk: Desk, blast: Blast, estimate: Estimate, found: Preflight, most: int | None) -> list[Person]:
    """Count the verdicts; some of the people who may be reached, from all over the audience."""
    draw, held_below = draw_of(desk.vault.derive(f"holdout/{blast.id}")), below(blast.holdout)
    people, after, places = people_of(desk, blast), 0, desk.set_draw(blast.firm_id)
    sample: list[Person] = []
    while most is None or found.looked < most:
        page = people.page(found.at, after=after, most=PAGE)
        asked = [m for m in page if draw.place(m.shopper_id) >= held_below]
        known, broken = opened(desk.vault, asked)
        if broken:
            found.denied[SEAL_BROKEN] += len(broken)
        for member in broken:
            found.note("denied", SEAL_BROKEN, places.place(member.shopper_id))
        reachable = _reachable(desk, blast, estimate, found, known)
        estimate.add(reachable)
        found.looked += len(page)
        found.held += len(page) - len(asked)
        for member in page:
            if draw.place(member.shopper_id) < held_below:
                found.note("held", "", places.place(member.shopper_id))
        sample += [Person(one.member.key, one.number) for one in reachable[: SAMPLE // 10]]
        if len(page) < PAGE:
            break
        after = page[-1].shopper_id
    return sample[:: max(1, len(sample) // SAMPLE)]


def _reachable(
    desk: Desk, blast: Blast, estimate: Estimate, found: Preflight, asked: Sequence[Reached]
) -> list[Reached]:
    """Those of a page who may be reached now or later; everybody is counted."""
    people = [Person(one.member.key, one.number) for one in asked]
    verdicts = desk.looks.look(blast.firm_id, Channel(blast.channel), people, found.at)
    decided = list(zip(asked, verdicts, strict=True))
    lawful = [one for one, verdict in decided if not isinstance(verdict, Deny)]
    denied = estimate.denied(lawful, found.at)
    places, reachable = desk.set_draw(blast.firm_id), []
    for one, verdict in decided:
        place = places.place(one.member.shopper_id)
        why = verdict.reason if isinstance(verdict, Deny) else denied.get(one.member.shopper_id)
        if why is not None:
            found.denied[why] += 1
            found.note("denied", why, place)
            continue
        reachable.append(one)
        if isinstance(verdict, Defer):
            hour = verdict.until // HOUR_MS * HOUR_MS
            found.deferred[hour] += 1
            found.note("deferred", str(hour), place)
        else:
            found.now += 1
            found.note("now", "", place)
    return reachable


def _judge(blast: Blast, found: Preflight) -> None:
    if blast.follows is not None:
        if not found.people:
            found.warns.append(f"blast {blast.follows} has left hardly anybody for it yet: it waits for them")
    elif not found.audience:
        found.forbids.append("nobody is in the audience: widen its definition, or upload references")
    elif set(found.denied) == {Reason.FORBIDDEN} and not found.reachable and blast.channel == Channel.CALL:
        found.forbids.append("automatic calls with offers are not allowed in any country of this audience")
    elif not found.people:  # and whether it is nobody, a firm is not told: of an audience of one it would be
        done = "called" if blast.channel == Channel.CALL else "written to"
        found.warns.append(f"fewer than {LEAST} people of the audience may be {done}, or nobody")


def _foresee(
    desk: Desk, blast: Blast, estimate: Estimate, found: Preflight, sample: Sequence[Person]
) -> None:
    def openings(at: int) -> Sequence[bool]:
        verdicts = desk.looks.look(blast.firm_id, Channel(blast.channel), sample, at)
        return [isinstance(verdict, Allow) for verdict in verdicts]

    forecast = estimate.forecast(found.people, found.at, openings)
    # Of a few who wait longest nobody may be in the sample.
    last = max(found.deferred, default=0)
    if forecast.finishes_at is not None and forecast.finishes_at < last:
        in_time = last < blast.expires_at
        forecast = Forecast(finishes_at=last if in_time else None, unreached=forecast.unreached)
    found.forecast = forecast
    if late := found.forecast.unreached // LEAST * LEAST:
        found.warns.append(f"about {late} will not be reached before it expires: let it expire later")
    elif found.forecast.finishes_at is None:
        found.warns.append("not all attempts can be made before it expires: let it expire later")
