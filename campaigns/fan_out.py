"""Fan-out: the recipients of a running blast, batch by batch, into the sending queues.

SQL says who was drawn, Redis which batch was put last. A batch is written to SQL, then put; before the next
one the last is put again unless Redis has it. So a crash at any place is repaired by the next step, and steps
that run twice change nothing. Only a bounded number waits in Redis, whatever the size of the audience.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Engine

from campaigns import failures
from campaigns.pacing import released
from campaigns.verdicts import Allow, Defer, Deny, Looks, Person, Verdict
from campaigns.words import setting_of, written
from gateway.domain.blast import Fate, State, Word
from gateway.domain.catalog import Catalog
from gateway.domain.draw import below, draw_of
from gateway.domain.offer_ids import offer_id
from gateway.domain.segments import count
from gateway.store import blasts, recipients
from gateway.store.audiences import Audience, Audiences, Member
from gateway.store.blasts import Blast
from gateway.store.offers import Offer, Offers
from gateway.store.people import SEAL_SHOPPER
from gateway.store.recipients import Drawn
from gateway.store.sendqueue import seal_answer
from gateway.store.vault import Vault

BATCH: Final = 500  # recipients of one transaction
AHEAD: Final = 4_000  # texts of a firm's blasts that may wait in Redis
NO_LINK: Final = "no link"


class Step(StrEnum):
    """What one step did."""

    WORKED = "worked"  # and may have more to do
    FULL = "full"  # enough waits, or no more is released yet
    IDLE = "idle"  # what is deferred or on its way is waited for
    OVER = "over"  # the blast is not running, or no more


@dataclass(frozen=True, slots=True, kw_only=True)
class FanOut:
    """What a step works with. `link`: for a number (E.164 digits), empty where none carries it."""

    engine: Engine
    vault: Vault
    offers: Offers
    looks: Looks
    catalog: Callable[[], Catalog]
    link: Callable[[str], str]
    links: Callable[[], Sequence[str]]

    def step(self, blast_id: int, now: int) -> Step:
        """One batch of a blast. `now`: ms since 1970. Raises RedisError, SQLAlchemyError."""
        blast = blasts.find(self.engine, blast_id)
        if blast is None or blast.state is not State.RUNNING:
            return Step.OVER
        if now >= blast.expires_at:
            return self._turn(blast, Word.EXPIRE, now)
        if failures.too_many(self.engine, blast):
            return self._turn(blast, Word.PAUSE, now, why=failures.WHY)
        put, waiting = self.offers.standing(blast.firm_id, blast.id, self.links())
        if put < blast.batch:
            self.offers.put(blast.firm_id, blast.id, blast.batch, recipients.batch_of(self.engine, blast))
            return Step.WORKED
        room = min(BATCH, AHEAD - waiting, released(blast, now))
        if room <= 0:
            return Step.FULL
        return self._batch(blast, room, now)

    def _batch(self, blast: Blast, room: int, now: int) -> Step:
        members = recipients.due(self.engine, blast, now, room)
        anew, all_drawn = bool(members), bool(blast.all_drawn)
        if not anew and not all_drawn:
            members = self._next(blast, now, room)
            all_drawn = len(members) < room
        if not members and all_drawn and blast.all_drawn:
            return self._rest(blast, now)
        drawn = self._drawn(blast, members, now, anew=anew)
        opened = sum(d.fate is not Fate.HELD for d in drawn)
        written_ = recipients.write_batch(
            *(self.engine, blast, drawn), anew=anew, all_drawn=all_drawn, opened=opened, now=now
        )
        offers = [d.offer for d in drawn if d.offer is not None]
        if written_ and offers:
            self.offers.put(blast.firm_id, blast.id, blast.batch + 1, offers)
        return Step.WORKED

    def _next(self, blast: Blast, now: int, room: int) -> list[Member]:
        audiences = Audiences(self.engine, self.vault)
        audience: Audience | None = audiences.find(blast.firm_id, blast.audience_id)
        if audience is None:
            raise LookupError("a blast without its audience")
        return audiences.page(audience, now, after=blast.last_shopper, most=room)

    def _rest(self, blast: Blast, now: int) -> Step:
        """Everybody was drawn: it is finished once nobody is deferred and each text has its outcome."""
        if recipients.next_due(self.engine, blast.id) is not None or recipients.waiting(
            self.engine, blast.id
        ):
            return Step.IDLE
        return self._turn(blast, Word.FINISH, now)

    def _turn(self, blast: Blast, word: Word, now: int, **changes: object) -> Step:
        try:
            turned = blasts.turn(self.engine, blast.id, word, now, **changes)
        except blasts.NotNow:
            return Step.OVER  # its marketer was faster
        self.offers.tell(turned.firm_id, turned.id, turned.state, turned.revision)
        return Step.OVER

    def _drawn(self, blast: Blast, members: Sequence[Member], now: int, *, anew: bool) -> list[Drawn]:
        draw = draw_of(self.vault.derive(f"holdout/{blast.id}"))
        held_below = 0 if anew else below(blast.holdout)
        held = [m for m in members if draw.place(m.shopper_id) < held_below]
        asked = [m for m in members if draw.place(m.shopper_id) >= held_below]
        people = [Person(m.key, self.vault.open(SEAL_SHOPPER, m.number).decode()) for m in asked]
        verdicts = self.looks.look(blast.firm_id, people, now) if people else []
        decided = list(zip(asked, people, verdicts, strict=True))
        drawn = [Drawn(m.shopper_id, Fate.HELD) for m in held]
        drawn += [_not_now(m, v) for m, _, v in decided if not isinstance(v, Allow)]
        allowed = [(m, p.number) for m, p, v in decided if isinstance(v, Allow)]
        drawn += self._offers(blast, allowed, now)
        return sorted(drawn, key=lambda d: d.shopper_id)

    def _offers(self, blast: Blast, allowed: Sequence[tuple[Member, str]], now: int) -> list[Drawn]:
        setting = setting_of(self.catalog(), blast.firm_id, blast.campaign_id)
        texts = written(self.engine, blast.firm_id, blast.template, setting, [m for m, _ in allowed])
        drawn = []
        for place, ((member, number), text) in enumerate(zip(allowed, texts, strict=True)):
            link = self.link(number)
            if not link:
                drawn.append(Drawn(member.shopper_id, Fate.DENIED, NO_LINK))
                continue
            offer = Offer(
                message_id=offer_id(blast.id, blast.batch + 1, place, firm=blast.firm_id),
                link=link,
                sealed=seal_answer(self.vault, number, text),
                short_number=blast.short_number,
                at=now,
                until=blast.expires_at,
            )
            segments = count(text, plain=True)  # as links have it by default
            drawn.append(Drawn(member.shopper_id, Fate.TEXTED, offer=offer, segments=segments))
        return drawn


def _not_now(member: Member, verdict: Verdict) -> Drawn:
    if isinstance(verdict, Defer):
        return Drawn(member.shopper_id, Fate.DEFERRED, verdict.reason, verdict.until)
    if isinstance(verdict, Deny):
        return Drawn(member.shopper_id, Fate.DENIED, verdict.reason)
    raise TypeError("who is allowed gets a text")
