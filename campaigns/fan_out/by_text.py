"""A blast that writes: a text for each of its recipients, put into the sending queues batch by batch.

A batch is written to SQL, then put; before the next one those that Redis does not have are put again: the
last after a crash, all that wait still after a Redis was rebuilt or put back. What has left of these leaves
no second time, since the ledger is asked before (gateway.usecases.consent.gate). Each link has a buffer of
its own: whose link has no room waits in SQL until it has, and holds up nobody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from campaigns.context import Desk
from campaigns.eligibility import Reached
from campaigns.fan_out.words import setting_of, written
from gateway.domain.offers.blast import Fate
from gateway.domain.offers.offer_ids import offer_id
from gateway.domain.sms.segments import count
from gateway.store.offers import recipients
from gateway.store.offers.audiences import Member
from gateway.store.offers.blasts import Blast
from gateway.store.offers.recipients import Drawn
from gateway.store.offers.redis_queue import Offer
from gateway.store.texts.sendqueue import seal_answer

AHEAD: Final = 4_000  # texts of a firm's blasts that may wait in Redis for one link
LINK_FULL: Final = "link"  # why somebody is deferred
NO_LINK: Final = "no link"


class Texting:
    """What fan-out needs of a blast by SMS."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def room(self, blast: Blast, now: int) -> int | None:
        """How many more texts may wait; None: a batch may not have been put, or is lost, and is put now."""
        del now
        put, waiting = self._desk.offers.standing(blast.firm_id, blast.id, self._desk.links)
        if put >= blast.batch:
            return AHEAD - min(waiting.values(), default=AHEAD)
        # Who has lost texts may have lost the state, too: nothing leaves of a blast that Redis does not know.
        self._desk.offers.tell(blast.firm_id, blast.id, blast.state, blast.revision)
        batch = recipients.first_waiting(self._desk.engine, blast, put)
        lost = recipients.batch_of(self._desk.engine, blast, batch)
        self._desk.offers.put(blast.firm_id, blast.id, batch, lost)
        return None

    def drawn(self, blast: Blast, allowed: Sequence[Reached], now: int) -> list[Drawn]:
        """A text for each of those who may be written to, and whose link has room."""
        rooms, drawn, leaving = self._rooms(blast), list[Drawn](), list[tuple[Reached, str]]()
        for one in allowed:
            link = self._desk.link(one.number)
            if not link:
                drawn.append(Drawn(one.member.shopper_id, Fate.DENIED, NO_LINK))
            elif rooms.get(link, 0) <= 0:
                at = recipients.waits_for_link(blast, self._place(link))
                drawn.append(Drawn(one.member.shopper_id, Fate.DEFERRED, LINK_FULL, at))
            else:
                rooms[link] -= 1
                leaving.append((one, link))
        return drawn + self._written(blast, leaving, now)

    def held(self, blast: Blast, most: int) -> list[Member]:
        """Recipients who waited for a link that has room now."""
        for link, room in self._rooms(blast).items():
            if room > 0:
                found = recipients.held_for(self._desk.engine, blast, self._place(link), min(room, most))
                if found:
                    return found
        return []

    def _rooms(self, blast: Blast) -> dict[str, int]:
        _, waiting = self._desk.offers.standing(blast.firm_id, blast.id, self._desk.links)
        return {link: AHEAD - n for link, n in waiting.items()}

    def _place(self, link: str) -> int:
        return self._desk.links.index(link) if link in self._desk.links else len(self._desk.links)

    def _written(self, blast: Blast, leaving: Sequence[tuple[Reached, str]], now: int) -> list[Drawn]:
        setting = setting_of(self._desk.catalog(), blast.firm_id, blast.campaign_id)
        members = [one.member for one, _ in leaving]
        texts = written(self._desk.engine, blast.firm_id, blast.template, setting, members)
        drawn = []
        for place, (((member, number), link), text) in enumerate(zip(leaving, texts, strict=True)):
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

    def hand_over(self, blast: Blast, drawn: Sequence[Drawn]) -> None:
        """Put the texts of the batch after the one that `blast` knows as its last."""
        if offers := [d.offer for d in drawn if d.offer is not None]:
            self._desk.offers.put(blast.firm_id, blast.id, blast.batch + 1, offers)

    def waiting(self, blast_id: int) -> bool:
        """Whether any text has no outcome yet."""
        return recipients.waiting(self._desk.engine, blast_id)
