"""Fan-out: the recipients of a running blast, batch by batch, into the sending queues.

SQL says who was drawn, Redis which batch was put last. A batch is written to SQL, then put; before the next
one the last is put again unless Redis has it. So a crash at any place is repaired by the next step, and steps
that run twice change nothing. Only a bounded number waits in Redis, whatever the size of the audience.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Final

from campaigns import failures
from campaigns.desk import Desk
from campaigns.pacing import released
from campaigns.verdicts import Person
from campaigns.words import setting_of, written
from gateway.domain.blast import Fate, State, Word
from gateway.domain.draw import below, draw_of
from gateway.domain.offer_ids import offer_id
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny
from gateway.domain.segments import count
from gateway.store import blasts, recipients
from gateway.store.audiences import Member
from gateway.store.blasts import Blast
from gateway.store.offers import Offer
from gateway.store.people import SEAL_SHOPPER
from gateway.store.recipients import Drawn
from gateway.store.sendqueue import seal_answer

BATCH: Final = 500  # recipients of one transaction
AHEAD: Final = 4_000  # texts of a firm's blasts that may wait in Redis
NO_LINK: Final = "no link"


class Step(StrEnum):
    """What one step did."""

    WORKED = "worked"  # and may have more to do
    FULL = "full"  # enough waits, or no more is released yet
    IDLE = "idle"  # what is deferred or on its way is waited for
    OVER = "over"  # the blast is not running, or no more


class FanOut:
    """`observe`: told each batch that was written."""

    def __init__(self, desk: Desk, observe: Callable[[Sequence[Drawn]], None] = lambda _: None) -> None:
        self._desk = desk
        self._observe = observe

    def step(self, blast_id: int, now: int) -> Step:
        """One batch of a blast. `now`: ms since 1970. Raises RedisError, SQLAlchemyError."""
        blast = blasts.find(self._desk.engine, blast_id)
        if blast is None or blast.state is not State.RUNNING:
            return Step.OVER
        if now >= blast.expires_at:
            return self._turn(blast, Word.EXPIRE, now)
        if failures.too_many(self._desk.engine, blast):
            return self._turn(blast, Word.PAUSE, now, why=failures.WHY)
        put, waiting = self._desk.offers.standing(blast.firm_id, blast.id, self._desk.links)
        if put < blast.batch:
            last = recipients.batch_of(self._desk.engine, blast)
            self._desk.offers.put(blast.firm_id, blast.id, blast.batch, last)
            return Step.WORKED
        room = min(BATCH, AHEAD - waiting, released(blast, now))
        if room <= 0:
            return Step.FULL
        return self._batch(blast, room, now)

    def _batch(self, blast: Blast, room: int, now: int) -> Step:
        members = recipients.due(self._desk.engine, blast, now, room)
        anew, all_drawn = bool(members), bool(blast.all_drawn)
        if not anew and not all_drawn:
            members = self._next(blast, now, room)
            all_drawn = len(members) < room
        if not members and all_drawn and blast.all_drawn:
            return self._rest(blast, now)
        drawn = self._drawn(blast, members, now, anew=anew)
        opened = sum(d.fate is not Fate.HELD for d in drawn)
        written_ = recipients.write_batch(
            *(self._desk.engine, blast, drawn), anew=anew, all_drawn=all_drawn, opened=opened, now=now
        )
        if not written_:
            return Step.WORKED
        self._observe(drawn)
        if offers := [d.offer for d in drawn if d.offer is not None]:
            self._desk.offers.put(blast.firm_id, blast.id, blast.batch + 1, offers)
        return Step.WORKED

    def _next(self, blast: Blast, now: int, room: int) -> list[Member]:
        audience = self._desk.audiences.find(blast.firm_id, blast.audience_id)
        if audience is None:
            raise LookupError("a blast without its audience")
        return self._desk.audiences.page(audience, now, after=blast.last_shopper, most=room)

    def _rest(self, blast: Blast, now: int) -> Step:
        """Everybody was drawn: it is finished once nobody is deferred and each text has its outcome."""
        engine = self._desk.engine
        # In this order: a text that is put off ends in the same moment as its recipient is deferred.
        if recipients.waiting(engine, blast.id) or recipients.next_due(engine, blast.id) is not None:
            return Step.IDLE
        return self._turn(blast, Word.FINISH, now)

    def _turn(self, blast: Blast, word: Word, now: int, **changes: object) -> Step:
        try:
            turned = blasts.turn(self._desk.engine, blast.id, word, now, **changes)
        except blasts.NotNow:
            return Step.OVER  # its marketer was faster
        self._desk.offers.tell(turned.firm_id, turned.id, turned.state, turned.revision)
        return Step.OVER

    def _drawn(self, blast: Blast, members: Sequence[Member], now: int, *, anew: bool) -> list[Drawn]:
        draw = draw_of(self._desk.vault.derive(f"holdout/{blast.id}"))
        held_below = 0 if anew else below(blast.holdout)
        held = [m for m in members if draw.place(m.shopper_id) < held_below]
        asked = [m for m in members if draw.place(m.shopper_id) >= held_below]
        people = [Person(m.key, self._desk.vault.open(SEAL_SHOPPER, m.number).decode()) for m in asked]
        verdicts = self._desk.looks.look(blast.firm_id, people, now) if people else []
        decided = list(zip(asked, people, verdicts, strict=True))
        drawn = [Drawn(m.shopper_id, Fate.HELD) for m in held]
        drawn += [_not_now(m, v) for m, _, v in decided if not isinstance(v, Allow)]
        allowed = [(m, p.number) for m, p, v in decided if isinstance(v, Allow)]
        drawn += self._offers(blast, allowed, now)
        return sorted(drawn, key=lambda d: d.shopper_id)

    def _offers(self, blast: Blast, allowed: Sequence[tuple[Member, str]], now: int) -> list[Drawn]:
        setting = setting_of(self._desk.catalog(), blast.firm_id, blast.campaign_id)
        texts = written(self._desk.engine, blast.firm_id, blast.template, setting, [m for m, _ in allowed])
        drawn = []
        for place, ((member, number), text) in enumerate(zip(allowed, texts, strict=True)):
            link = self._desk.link(number)
            if not link:
                drawn.append(Drawn(member.shopper_id, Fate.DENIED, NO_LINK))
                continue
            offer = Offer(
                message_id=offer_id(blast.id, blast.batch + 1, place, firm=blast.firm_id),
                link=link,
                sealed=seal_answer(self._desk.vault, number, text),
                shopper=member.key,
                short_number=blast.short_number,
                at=now,
                until=blast.expires_at,
            )
            segments = count(text, plain=True)  # as links have it by default
            drawn.append(Drawn(member.shopper_id, Fate.TEXTED, offer=offer, segments=segments))
        return drawn


def _not_now(member: Member, decision: Decision) -> Drawn:
    if isinstance(decision, Defer):
        return Drawn(member.shopper_id, Fate.DEFERRED, decision.reason.value, decision.until)
    if isinstance(decision, Deny):
        return Drawn(member.shopper_id, Fate.DENIED, decision.reason.value)
    raise TypeError("who is allowed gets a text")
