"""Preflight: the real decisions over the whole audience, without sending and without charging anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from campaigns.desk import Desk
from campaigns.forecast import HOUR_MS, Forecast, Load, forecast, total_rate
from campaigns.verdicts import Person
from campaigns.words import setting_of, written
from gateway.domain import offer
from gateway.domain.consent import Channel
from gateway.domain.draw import below, draw_of
from gateway.domain.policy.verdict import Allow, Defer
from gateway.domain.segments import count
from gateway.store.audiences import Audience, Member
from gateway.store.blasts import Blast
from gateway.store.people import SEAL_SHOPPER

PAGE: Final = 2_000
WRITTEN_EACH: Final = 100  # texts of a page that are written to count their segments
SAMPLE: Final = 200  # recipients whose hours tell when it would be done


@dataclass(slots=True, kw_only=True)
class Preflight:
    """What would happen. Counts are of people; `deferred` by the hour in which it ends (ms since 1970).

    `looked`: how many were looked at, `audience`: how many there are. `forbids`: why it cannot be launched,
    `warns`: what its marketer should know; lines of text.
    """

    at: int
    audience: int
    looked: int = 0
    held: int = 0
    now: int = 0
    deferred: Counter[int] = field(default_factory=Counter)
    denied: Counter[str] = field(default_factory=Counter)
    segments: float = 0.0  # of a text, on average
    longest: dict[str, int] = field(default_factory=dict)  # language -> segments at most
    forecast: Forecast | None = None
    forbids: list[str] = field(default_factory=list)
    warns: list[str] = field(default_factory=list)

    @property
    def reachable(self) -> int:
        """Of those looked at, now or later."""
        return self.now + self.deferred.total()

    @property
    def texts(self) -> int:
        """As many as would leave, were all of the audience like those who were looked at."""
        return round(self.reachable * self.audience / self.looked) if self.looked else 0


def preflight(desk: Desk, blast: Blast, now: int, *, most: int | None = None) -> Preflight:
    """Look at the audience, or at its first `most`, at the moment when the blast would start.

    `now`: ms since 1970. Raises RedisError, SQLAlchemyError.
    """
    at = max(now, blast.starts_at or 0)
    audience = desk.audiences.find(blast.firm_id, blast.audience_id)
    if audience is None:
        raise LookupError("a blast without its audience")
    found = Preflight(at=at, audience=desk.audiences.count(audience, now))
    found.forbids += _standing_faults(desk, blast, at)
    if found.forbids:
        return found
    sample = _look(desk, blast, audience, found, most)
    _judge(found)
    if not found.forbids:
        found.forecast = _forecast(desk, blast, found, sample)
        if found.forecast.unreached:
            found.warns.append(
                f"about {found.forecast.unreached} will not be reached before it expires: let it expire later"
            )
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


def _look(desk: Desk, blast: Blast, audience: Audience, found: Preflight, most: int | None) -> list[Person]:
    """Count the verdicts; some of the people who may be written to, from all over the audience."""
    draw, held_below = draw_of(desk.vault.derive(f"holdout/{blast.id}")), below(blast.holdout)
    setting = setting_of(desk.catalog(), blast.firm_id, blast.campaign_id)
    counted, segments, after = 0, 0, 0
    sample: list[Person] = []
    while most is None or found.looked < most:
        page = desk.audiences.page(audience, found.at, after=after, most=PAGE)
        asked = [m for m in page if draw.place(m.shopper_id) >= held_below]
        people = [_person(desk, m) for m in asked]
        verdicts = desk.looks.look(blast.firm_id, Channel(blast.channel), people, found.at)
        reachable: list[tuple[Member, Person]] = []
        for member, person, verdict in zip(asked, people, verdicts, strict=True):
            if isinstance(verdict, Allow):
                found.now += 1
            elif isinstance(verdict, Defer):
                found.deferred[verdict.until // HOUR_MS * HOUR_MS] += 1
            else:
                found.denied[verdict.reason] += 1
                continue
            reachable.append((member, person))
        found.looked += len(page)
        found.held += len(page) - len(asked)
        some = [m for m, _ in reachable[:WRITTEN_EACH]]
        texts = written(desk.engine, blast.firm_id, blast.template, setting, some)
        counted += len(texts)
        segments += sum(count(text, plain=True) for text in texts)
        sample += [person for _, person in reachable[: SAMPLE // 10]]
        if len(page) < PAGE:
            break
        after = page[-1].shopper_id
    found.segments = segments / counted if counted else 0.0
    found.longest = {
        language: offer.most_taken(blast.template, language, setting) for language in blast.texts
    }
    return sample[:: max(1, len(sample) // SAMPLE)]


def _person(desk: Desk, member: Member) -> Person:
    return Person(member.key, desk.vault.open(SEAL_SHOPPER, member.number).decode())


def _judge(found: Preflight) -> None:
    if not found.audience:
        found.forbids.append("nobody is in the audience: widen its definition, or upload references")
    elif not found.reachable:
        reasons = ", ".join(f"{reason}" for reason, _ in found.denied.most_common()) or "all are held out"
        found.forbids.append(f"nobody in the audience may be written to: {reasons}")


def _forecast(desk: Desk, blast: Blast, found: Preflight, sample: Sequence[Person]) -> Forecast:
    def open_share(at: int) -> float:
        verdicts = desk.looks.look(blast.firm_id, Channel(blast.channel), sample, at)
        return sum(isinstance(v, Allow) for v in verdicts) / len(verdicts)

    load = Load(
        texts=found.texts,
        segments=found.segments,
        per_s=total_rate(dict(desk.rates)),
        spread_s=blast.spread_s,
        starts_at=found.at,
        expires_at=blast.expires_at,
    )
    return forecast(load, open_share)
