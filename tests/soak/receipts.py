"""Receipts as the SMSC of the soak of a blast gives them, by a seed: most soon, some late, some never."""

from __future__ import annotations

import asyncio
import heapq
import time
from collections import Counter
from contextlib import suppress
from typing import Final

from tests.peers.smsc import Delivery, SmscPeer, Submitted
from tests.soak.weather import Fate

LOST_SHARE: Final = 0.1
LATE_SHARE: Final = 0.1
FAILED_SHARE: Final = 0.05
LATE_S: Final = 2.0
AGAIN_S: Final = 0.5  # after one that was not acknowledged, as SMSCs do
AT_ONCE: Final = 32
_LOOK_S: Final = 0.05
_TIMEOUT_S: Final = 10.0
_RECEIPT: Final = 0x04  # esm_class, SMPP 3.4, 5.2.12
_STATES: Final = {"delivered": ("DELIVRD", "000"), "failed": ("UNDELIV", "027")}


class Receipts:
    """For texts with `of` in them. `acknowledged`: how many by state; `lost`, `late`: how many never came, or
    came `LATE_S` later.
    """

    def __init__(self, smsc: SmscPeer, seed: int, *, of: bytes) -> None:
        self._smsc = smsc
        self._of = of
        self._fate = Fate(seed)
        self._seen = 0
        self._due: list[tuple[float, int, str]] = []  # when, place in the journal, state
        self._open = 0
        self.lost = 0
        self.late = 0
        self.acknowledged: Counter[str] = Counter()

    @property
    def idle(self) -> bool:
        """Whether all that will ever come has been acknowledged."""
        return self._seen == len(self._smsc.submitted) and not self._due and not self._open

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._look()
                while self._due and self._due[0][0] <= time.monotonic() and self._open < AT_ONCE:
                    _, place, state = heapq.heappop(self._due)
                    self._open += 1
                    tasks.create_task(self._give(place, state))
                await asyncio.sleep(_LOOK_S)

    def _look(self) -> None:
        """Decide on what was submitted since."""
        for place in range(self._seen, len(self._smsc.submitted)):
            submit = self._smsc.submitted[place]
            if self._of in submit.body and submit.status == 0 and submit.registered_delivery & 1:
                self._decide(place, submit)
        self._seen = len(self._smsc.submitted)

    def _decide(self, place: int, submit: Submitted) -> None:
        share = self._fate.share("receipt", submit.destination, submit.message_id)
        if share < LOST_SHARE:
            self.lost += 1
            return
        late = share < LOST_SHARE + LATE_SHARE
        self.late += late
        failed = self._fate.share("failed", submit.destination, submit.message_id) < FAILED_SHARE
        due = submit.at + LATE_S * late
        heapq.heappush(self._due, (due, place, "failed" if failed else "delivered"))

    async def _give(self, place: int, state: str) -> None:
        submit = self._smsc.submitted[place]
        word, error = _STATES[state]
        text = (
            f"id:{submit.message_id} sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 "
            f"stat:{word} err:{error} text:"
        )
        receipt = Delivery(
            source=submit.destination,
            destination=submit.source,
            body=text.encode(),
            esm_class=_RECEIPT,
        )
        status: int | None = None
        with suppress(TimeoutError):
            status = await self._smsc.deliver(receipt, _TIMEOUT_S)
        self._open -= 1
        if status == 0:
            self.acknowledged[state] += 1
        else:
            heapq.heappush(self._due, (time.monotonic() + AGAIN_S, place, state))
