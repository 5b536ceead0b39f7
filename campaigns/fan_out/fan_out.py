"""Fan-out: the recipients of a running blast, batch by batch, to where they are written to or called from.

SQL says who was drawn. A batch is one transaction, and steps that run twice or crash at any place change
nothing: what the channel does behind it (campaigns.fan_out.by_text, campaigns.fan_out.by_call) bears the
same. Only a bounded number waits to leave, whatever the size of the audience.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from campaigns.context import Desk
from campaigns.eligibility import Person, Reached
from campaigns.fan_out import error_threshold
from campaigns.fan_out.by_call import Calling
from campaigns.fan_out.by_text import Texting
from campaigns.fan_out.opening import SEAL_BROKEN, opened
from campaigns.fan_out.pacing import released
from campaigns.fan_out.selection import Drawing, Next
from gateway.domain.consent.word import Channel
from gateway.domain.offers.blast import Fate, State, Word
from gateway.domain.offers.sample import below, draw_of
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny
from gateway.store.offers import blasts, recipients
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast
from gateway.store.offers.recipients import Batch, Drawn

BATCH: Final = 500  # recipients of one transaction
ERASED: Final = "erased"  # they were deferred, and are nobody by now


class Step(StrEnum):
    """What one step did."""

    WORKED = "worked"  # and may have more to do
    FULL = "full"  # enough waits, or no more is released yet
    IDLE = "idle"  # what is deferred or on its way is waited for
    OVER = "over"  # the blast is not running, or no more


class Way(Protocol):
    """What a blast's channel brings: campaigns.fan_out.by_text or campaigns.fan_out.by_call."""

    def room(self, blast: Blast, now: int) -> int | None:
        """How many more may wait to leave; None: the last batch had to be handed over again first."""

    def drawn(self, blast: Blast, allowed: Sequence[Reached], now: int) -> list[Drawn]:
        """What is to become of those who may be reached now."""

    def held(self, blast: Blast, most: int) -> list[Member]:
        """Recipients who were put off for lack of room, and for whom there is some now."""

    def hand_over(self, blast: Blast, drawn: Sequence[Drawn]) -> None:
        """Let the batch that was written leave. `blast`: as it was before."""

    def waiting(self, blast_id: int) -> bool:
        """Whether anything handed over has no outcome yet."""


class FanOut:
    """`observe`: told each batch that was written."""

    def __init__(self, desk: Desk, observe: Callable[[Sequence[Drawn]], None] = lambda _: None) -> None:
        self._desk = desk
        self._observe = observe
        self._drawing = Drawing(desk)
        self._ways: Mapping[str, Way] = {Channel.SMS: Texting(desk), Channel.CALL: Calling(desk)}

    def step(self, blast_id: int, now: int) -> Step:
        """One batch of a blast. `now`: ms since 1970. Raises RedisError, SQLAlchemyError."""
        blast = blasts.find(self._desk.engine, blast_id)
        if blast is None or blast.state is not State.RUNNING:
            return Step.OVER
        if now >= blast.expires_at:
            return self._turn(blast, Word.EXPIRE, now)
        if error_threshold.too_many(self._desk.engine, blast):
            return self._turn(blast, Word.PAUSE, now, why=error_threshold.WHY)
        free = self._ways[blast.channel].room(blast, now)
        if free is None:
            return Step.WORKED
        room = min(BATCH, free, released(blast, now))
        if room <= 0:
            return Step.FULL
        return self._batch(blast, room, now)

    def _batch(self, blast: Blast, room: int, now: int) -> Step:
        members = recipients.due(self._desk.engine, blast, now, room)
        members = members or self._ways[blast.channel].held(blast, room)
        anew = bool(members)
        found = Next(members, blast.last_shopper, bool(blast.all_drawn))
        if not anew and not blast.all_drawn:
            found = self._drawing.next(blast, now, room)
        if found == ([], blast.last_shopper, bool(blast.all_drawn)):
            return self._rest(blast, now) if blast.all_drawn else Step.IDLE
        drawn = self._drawn(blast, found.members, now, anew=anew)
        batch = Batch(drawn=drawn, anew=anew, last=found.last, all_drawn=found.all_drawn)
        if recipients.write_batch(self._desk.engine, blast, batch, now):
            self._observe(drawn)
            self._ways[blast.channel].hand_over(blast, drawn)
        return Step.WORKED

    def _rest(self, blast: Blast, now: int) -> Step:
        """Everybody was drawn: it is finished once nobody is deferred and each has an outcome."""
        # In this order: a text that is put off ends in the same moment as its recipient is deferred.
        waiting = self._ways[blast.channel].waiting(blast.id)
        if waiting or recipients.next_due(self._desk.engine, blast.id) is not None:
            return Step.IDLE
        return self._turn(blast, Word.FINISH, now)

    def _turn(self, blast: Blast, word: Word, now: int, **changes: Any) -> Step:
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
        erased = [m for m in asked if not m.number]
        known, broken = opened(self._desk.vault, (m for m in asked if m.number))
        people = [Person(member.key, number) for member, number in known]
        verdicts = self._desk.looks.look(blast.firm_id, Channel(blast.channel), people, now)
        decided = list(zip(known, verdicts, strict=True))
        drawn = [Drawn(m.shopper_id, Fate.HELD) for m in held]
        drawn += [Drawn(m.shopper_id, Fate.DENIED, ERASED) for m in erased]
        drawn += [Drawn(m.shopper_id, Fate.DENIED, SEAL_BROKEN) for m in broken]
        drawn += [_not_now(one.member, v) for one, v in decided if not isinstance(v, Allow)]
        allowed = [one for one, v in decided if isinstance(v, Allow)]
        drawn += self._ways[blast.channel].drawn(blast, allowed, now)
        return sorted(drawn, key=lambda d: d.shopper_id)


def _not_now(member: Member, decision: Decision) -> Drawn:
    if isinstance(decision, Defer):
        return Drawn(member.shopper_id, Fate.DEFERRED, decision.reason.value, decision.until)
    if isinstance(decision, Deny):
        return Drawn(member.shopper_id, Fate.DENIED, decision.reason.value)
    raise TypeError("who is allowed is written to or called")
