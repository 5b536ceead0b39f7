"""An SMSC in trouble: it throttles, delays, reorders, forgets to answer, half-closes, restarts, and mangles.

It keeps a journal that is held against the gateway's books. Like a real one it sends again whatever was not
acknowledged.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.bench import wire
from tests.soak import trouble_receipts
from tests.soak.trouble_journal import REFUSALS, Submit, TroubleJournal
from tests.soak.trouble_link import TroubleLink
from tests.soak.trouble_texts import Text, Unit, order
from tests.soak.weather import CALM, Event, Fate, Weather

WINDOW: Final = 100  # texts and receipts that wait for their answers at once
TICK_S: Final = 0.01
LATE_TICK_S: Final = 1.0  # when a tick is so late, submits may have waited for us, too
RETRY_S: Final = 0.5
RESTART_S: Final = 1.0
NOBODY_SHARE: Final = 0.005  # numbers that this SMSC does not know
LATE_SHARE: Final = 0.3  # of the answers that are dropped: these come, but too late
RINVDSTADR: Final = 0x0B
RECEIPT_AFTER_S: Final = (0.0, 0.0, 0.0, 0.05, 3.0)
TWICE_SHARE: Final = 0.1  # of receipts
FIRST_ID: Final = 0x10000000


class Outgoing(NamedTuple):
    """A `deliver_sm`: a unit of a text, or a receipt (`told`) of the message with this id."""

    pdu: bytes
    text: int = -1
    message_id: str = ""
    told: trouble_receipts.Told | None = None


class TroubleSmsc:
    """The SMSC's side of a whole run."""

    def __init__(self, destination: str, seed: int, journal: TroubleJournal) -> None:
        self.journal = journal
        self.port = 0
        self.units: list[Unit] = []
        self._seed = seed
        self._fate = Fate(seed)
        self._weather = CALM
        self._doubtful_until = 0.0
        self._destination = destination.encode()
        self._senders: list[bytes] = []
        self._due = 0.0  # how many units may have been sent by now
        self._next = 0
        self._again: deque[Outgoing] = deque()  # refused for now, lost with their connection, or new receipts
        self._open: dict[int, tuple[int, Outgoing]] = {}  # sequence -> link and what was sent
        self._sequences = itertools.count(1)
        self._ids = itertools.count(FIRST_ID)
        self._link_ids = itertools.count(1)
        self._links: list[TroubleLink] = []
        self._server: asyncio.Server | None = None
        self._held_receipts = 0
        self._retry_at = 0.0

    def load(self, those: Sequence[Text]) -> None:
        """The texts of this run."""
        self.units = order(those, self._seed)
        self._senders = [text.sender for text in those]
        self.journal.missing = [len(text.units) for text in those]

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; returns the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: TroubleLink(self, next(self._link_ids)), "127.0.0.1", port
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Close everything without a word."""
        if self._server is not None:
            self._server.close()
        for link in list(self._links):
            link.reset()

    @property
    def bound(self) -> bool:
        """Whether somebody may be sent texts."""
        return self._receiver() is not None

    @property
    def idle(self) -> bool:
        """Whether all texts and receipts are acknowledged."""
        return self._next == len(self.units) and not (self._open or self._again or self._held_receipts)

    async def live_through(self, stretch: Weather) -> None:
        """One stretch: its event, then its texts at its rate until the last of them has left."""
        self._weather = stretch
        self.journal.troubles[stretch.event.value] += 1
        await self._suffer(stretch.event)
        until = min(self._next + stretch.texts, len(self.units))
        self._due = self._next
        before = time.monotonic()
        while self._next < until:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            self._due = min(until, self._due + (now - before) * stretch.rate)
            self._tick(before, now)
            before = now

    async def rest(self) -> None:
        """Go on without trouble until cancelled: only what is left is sent."""
        self._weather = CALM
        before = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.monotonic()
            self._tick(before, now)
            before = now

    async def _suffer(self, event: Event) -> None:
        if event is Event.RESTART:
            await self.stop()
            await asyncio.sleep(RESTART_S)
            await self.start(self.port)
        elif event is Event.CUT:
            for link in list(self._links):
                link.reset()
        elif event is Event.HALF_CLOSE:
            for link in list(self._links):
                link.half_close()
        elif event is Event.DEAF:
            deaf, seconds = list(self._links), self.journal.response_timeout_s + 0.5
            for link in deaf:
                link.listen(yes=False)
            self._doubtful_until = time.monotonic() + seconds + 1.5
            await asyncio.sleep(seconds)
            for link in deaf:
                link.listen(yes=True)

    # Texts and receipts to the gateway.

    def _tick(self, before: float, now: float) -> None:
        if now - before > LATE_TICK_S:
            self._doubtful_until = max(self._doubtful_until, now + 0.5)
        link = self._receiver()
        if link is None:
            return
        while now >= self._retry_at and self._again and len(self._open) < WINDOW:
            self._send(link, self._again.popleft())
        while self._next < int(self._due) and len(self._open) < WINDOW:
            text, body, coding, esm_class = self.units[self._next]
            self._next += 1
            pdu = wire.deliver_sm(
                source=self._senders[text],
                destination=self._destination,
                text=body,
                coding=coding,
                sequence=0,
                esm_class=esm_class,
            )
            self._send(link, Outgoing(pdu, text=text))

    def _send(self, link: TroubleLink, what: Outgoing) -> None:
        sequence = next(self._sequences)
        self._open[sequence] = (link.id, what)
        link.write(what.pdu[:12] + sequence.to_bytes(4) + what.pdu[16:])

    def answered(self, sequence: int, status: int) -> None:
        """A `deliver_sm_resp` came."""
        _, what = self._open.pop(sequence, (0, None))
        if what is None:
            return
        if status in REFUSALS:
            self._again.append(what)
            self._retry_at = time.monotonic() + RETRY_S
        if what.told is None:
            self.journal.statuses[status] += 1
            self.journal.missing[what.text] -= status == 0
        elif status == 0:
            self.journal.receipts[what.told.form] += 1
            if what.told.state:
                self.journal.sound[what.message_id] = what.told.state
        elif status not in REFUSALS:
            self.journal.receipts["refused"] += 1

    def joined(self, link: TroubleLink) -> None:
        """A peer has bound."""
        self._links.append(link)

    def left(self, link: TroubleLink) -> None:
        """A peer is gone: what it had not acknowledged goes back into the queue."""
        self.journal.lost_links[link.id] = time.monotonic()
        if link in self._links:
            self._links.remove(link)
        lost = [sequence for sequence, (owner, _) in self._open.items() if owner == link.id]
        self._again.extendleft([self._open.pop(sequence)[1] for sequence in reversed(lost)])
        self.journal.resent += len(lost)

    def _receiver(self) -> TroubleLink | None:
        return next((link for link in reversed(self._links) if link.receives), None)

    # Submits from the gateway.

    def submitted(self, link: TroubleLink, submit: wire.Submit, sequence: int) -> None:
        """Note it, then answer it as the weather is."""
        now, number = time.monotonic(), submit.destination.decode()
        copy = len(self.journal.submits.get(number, ()))
        status, delay_s = self._answer_to(number, copy)
        noted = self.journal.submitted(
            submit,
            status=status,
            message_id=f"{next(self._ids):x}",
            link=link.id,
            at=now,
            doubtful=now < self._doubtful_until,
        )
        if status is not None and delay_s:
            asyncio.get_running_loop().call_later(delay_s, self._answer, link, noted, sequence)
        elif status is not None:
            self._answer(link, noted, sequence)
        if not status and noted.receipt:
            self._promise_receipt(submit, noted, (number, copy))

    def _answer_to(self, number: str, copy: int) -> tuple[int | None, float]:
        """The status, None for silence, and how long it is held."""
        weather, troubles = self._weather, self.journal.troubles
        if self._fate.share("nobody", number) < NOBODY_SHARE:
            troubles["refused for good"] += 1
            return RINVDSTADR, 0.0
        share = self._fate.share("answer", number, copy)
        if share < weather.throttle:
            troubles["throttled"] += 1
            return self._fate.pick((0x58, 0x14), "throttle", number, copy), 0.0
        if share < weather.throttle + weather.busy:
            troubles["refused for now"] += 1
            return self._fate.pick((0x08, 0x64), "busy", number, copy), 0.0
        if share < weather.throttle + weather.busy + weather.drop:
            if self._fate.share("late", number, copy) < LATE_SHARE:
                troubles["answered too late"] += 1
                return 0, self.journal.response_timeout_s + 0.7
            troubles["not answered"] += 1
            return None, 0.0
        return 0, weather.delay_s * self._fate.share("delay", number, copy)

    def _answer(self, link: TroubleLink, noted: Submit, sequence: int) -> None:
        body = noted.message_id.encode() + b"\0" if noted.status == 0 else b""
        pdu = wire.pdu(wire.RESPONSE | wire.SUBMIT_SM, noted.status or 0, sequence, body)
        if link.write(pdu):
            noted.answered_at = time.monotonic()

    def _promise_receipt(self, submit: wire.Submit, noted: Submit, whom: tuple[str, int]) -> None:
        told = trouble_receipts.told(self._fate, noted.message_id.encode(), whom)
        if told is None:
            self.journal.receipts["none"] += 1
            return
        what = Outgoing(trouble_receipts.pdu(submit, told, 0), message_id=noted.message_id, told=told)
        times = 1 + (self._fate.share("twice", *whom) < TWICE_SHARE)
        delay_s = self._fate.pick(RECEIPT_AFTER_S, "receipt after", *whom)
        self._held_receipts += 1
        asyncio.get_running_loop().call_later(delay_s, self._give_receipt, [what] * times)

    def _give_receipt(self, receipts: Sequence[Outgoing]) -> None:
        self._held_receipts -= 1
        self._again.extend(receipts)
