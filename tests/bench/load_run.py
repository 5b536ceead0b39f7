"""One run of traffic: the window, the queue of texts, and the matching of replies to senders."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from tests.bench import wire
from tests.bench.journal import Journal, Mo

TICK_S: Final = 0.001  # how often a run at a fixed rate looks what is due
RETRY_S: Final = 0.5  # an SMSC's pause before it sends again what was refused for now
RECEIPTS_FROM: Final = 0x40000000  # sequence numbers of receipts, apart from those of texts
TEMPORARY: Final = frozenset({0x08, 0x14, 0x58, 0x64})


class Pipe(Protocol):
    """Where PDUs leave: gathered in `out`, written by `flush`."""

    out: list[bytes]

    def flush(self) -> None:
        """Write what has gathered."""


class FreedBy(StrEnum):
    """What frees a slot of the window: the response, or the confirmation (a closed loop)."""

    RESPONSE = "open"
    CONFIRMATION = "closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Traffic:
    """What is to be pushed. `rate` in texts a second, None for as many as the window lets through.

    `answer_delay_s`: how long the SMSC takes to answer a `submit_sm`.
    """

    messages: Sequence[Mo]
    destination: bytes
    window: int = 100
    freed_by: FreedBy = FreedBy.RESPONSE
    rate: float | None = None
    receipts: bool = False
    answer_delay_s: float = 0.0


class Run:
    """One `Traffic` on its way: the window, the queue of texts, and the matching of replies to senders."""

    def __init__(self, receiver: Callable[[], Pipe | None], traffic: Traffic) -> None:
        self._receiver = receiver
        self.traffic = traffic
        self.journal = Journal.of(traffic.messages)
        self.complete = asyncio.Event()
        self.progress = 0
        self._pdus = [
            wire.deliver_sm(
                source=mo.sender,
                destination=traffic.destination,
                text=mo.text,
                coding=mo.coding,
                sequence=i + 1,
            )
            for i, mo in enumerate(traffic.messages)
        ]
        self._next = 0
        self._again: deque[int] = deque()
        self._waiting: dict[int, int] = {}  # sequence of a re-sent or first-sent PDU -> index
        self._sequence = len(self._pdus) + 1
        self._receipt = RECEIPTS_FROM
        self._open = 0  # slots in use
        self._receipts_due: list[int] = []
        self._receipts: dict[int, bytes] = {}  # sequence -> receipt that was not acknowledged
        self._unanswered = len(self._pdus)
        self._unconfirmed = len(self._pdus)
        self._of_sender: dict[bytes, deque[int]] = {}
        for i, mo in enumerate(traffic.messages):
            self._of_sender.setdefault(mo.sender, deque()).append(i)
        self.journal.replies = {sender: [] for sender in self._of_sender}
        self._started = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._retry: asyncio.TimerHandle | None = None

    def pump(self) -> None:
        """Send what the window, and the rate if one is set, let through now."""
        link = self._receiver()
        if link is None:
            return
        now = time.monotonic()
        self._started = self._started or now
        if self.traffic.rate is None:
            self._fill(link, now, len(self._pdus))
            return
        self._fill(link, now, int((now - self._started) * self.traffic.rate) + 1)
        if self._next < len(self._pdus) and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        self._timer = None
        self.pump()

    def _fill(self, link: Pipe, now: float, due: int) -> None:
        out, sent_at, sendings = link.out, self.journal.sent_at, self.journal.sendings
        if self._receipts_due and self._retry is None:
            out.extend(self._receipts[sequence] for sequence in self._receipts_due)
            self._receipts_due.clear()
        while self._again and self._retry is None and self._open < self.traffic.window:
            i = self._again.popleft()
            out.append(self._pdus[i][:12] + self._sequence.to_bytes(4) + self._pdus[i][16:])
            self._waiting[self._sequence] = i
            self._sequence += 1
            sendings[i] += 1
            self._open += 1
        first = self._next
        room = min(self.traffic.window - self._open, min(due, len(self._pdus)) - first)
        if room > 0:
            out.extend(self._pdus[first : first + room])
            for i in range(first, first + room):
                # At a fixed rate the clock starts when the text was due: waiting for a slot counts.
                sent_at[i] = self._started + i / self.traffic.rate if self.traffic.rate else now
                sendings[i] = 1
                self._waiting[i + 1] = i
            self._next += room
            self._open += room
        link.flush()

    def requeue(self) -> None:
        """The bind is lost: everything that was not acknowledged will be sent again."""
        lost = sorted(self._waiting.values())
        self._waiting.clear()
        self._again.extendleft(reversed(lost))
        self._open -= len(lost)
        self._receipts_due = list(self._receipts)

    def answered(self, sequence: int, status: int, now: float) -> None:
        """A `deliver_sm_resp` came."""
        if sequence >= RECEIPTS_FROM:
            self._receipt_answered(sequence, status)
            return
        i = self._waiting.pop(sequence, None)
        if i is None:
            return
        self.journal.statuses[status] += 1
        self.progress += 1
        if status in TEMPORARY:
            self._open -= 1
            self._again.append(i)
            self._retry_later()
            return
        if status == 0:
            self.journal.answered_at[i] = now
        self._unanswered -= 1
        if status or self.traffic.freed_by is FreedBy.RESPONSE or self.journal.confirmed_at[i]:
            self._open -= 1
        self._check()

    def _receipt_answered(self, sequence: int, status: int) -> None:
        self.journal.receipts += status == 0
        self.journal.receipts_refused += status != 0
        if status in TEMPORARY:
            self._receipts_due.append(sequence)
            self._retry_later()
        else:
            self._receipts.pop(sequence, None)
            self._check()

    def _retry_later(self) -> None:
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.pump()

    def submitted(self, submit: wire.Submit, now: float) -> None:
        """A `submit_sm` came: the next reply of that sender."""
        self.journal.segments += 1
        if not wire.is_last_part(submit):
            return
        self.progress += 1
        replies = self.journal.replies.get(submit.destination)
        if replies is None:
            self.journal.strangers += 1
            return
        replies.append((submit.data_coding, submit.text))
        queue = self._of_sender[submit.destination]
        if not queue:
            return  # one too many: the journal's figures count it as doubled
        i = queue.popleft()
        self.journal.confirmed_at[i] = now
        self._unconfirmed -= 1
        if self.traffic.freed_by is FreedBy.CONFIRMATION and self.journal.answered_at[i]:
            self._open -= 1
        self._check()

    def receipt(self, submit: wire.Submit, message_id: bytes) -> bytes:
        """The delivery receipt of a submit, to be sent now, and again after a lost bind."""
        self._receipt += 1
        self._receipts[self._receipt] = wire.receipt(submit, message_id, self._receipt)
        return self._receipts[self._receipt]

    def _check(self) -> None:
        if self._unanswered <= 0 and self._unconfirmed <= 0 and not self._receipts:
            self.complete.set()
