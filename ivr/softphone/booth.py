"""The page's end of calls: a websocket with JSON both ways, and the sound as A-law in binary messages.

The page sends {"type": "dial", "handset": KEY}, {"type": "key", "key": "4"} and {"type": "hang_up"}; it is
told {"type": "service", …}, {"type": "call", "stage": …, "why": …}, {"type": "refused", …}. One call a page.
Of a call to a handset it is told {"type": "ring", "handset": KEY}, then {"type": "ring_over", …}; it sends
{"type": "answer", "handset": KEY} or {"type": "decline", …}.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from aiohttp import WSMsgType, web

from ivr.softphone.call import Call, Ear, Line, dial
from ivr.softphone.exchange import Refusal, Take
from ivr.softphone.leg import LEAVES_S, Stage
from ivr.softphone.ringing import Ringing

MOST_PAGES: Final = 16
MOST_CALLS: Final = 8  # over all pages
LONGEST_MESSAGE: Final = 1024
BACKLOG: Final = 250  # messages, which is 5 s of sound
LOOK_S: Final = 2.0  # until calls are possible
_GOING_AWAY: Final = 1001  # RFC 6455, 7.4.1


class Readiness(StrEnum):
    """Whether calls are possible."""

    READY = "ready"
    PREPARING = "preparing"
    MISSING = "missing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    """What the page shows of the free number. `number`: as people write it. `why`: if it is missing."""

    readiness: Readiness
    number: str = ""
    why: str = ""


class Booth:
    """Serves pages. `caller_of`: the number of a handset, E.164 without the plus; None: no such handset.

    `handset_of`: whose a number is.
    """

    def __init__(
        self,
        line: Line,
        service: Callable[[], Service],
        caller_of: Callable[[str], str | None],
        handset_of: Callable[[str], str | None],
    ) -> None:
        self._line = line
        self._service = service
        self._caller_of = caller_of
        self._handset_of = handset_of
        self._visits: dict[web.WebSocketResponse, _Visit] = {}
        self._ringing: dict[str, Ringing] = {}  # by handset
        self._tasks: dict[str, asyncio.Task[None]] = {}  # of calls to handsets, by handset
        self._calls = 0

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One page, until it closes; its call ends with it. Whether it may ask has been checked."""
        if len(self._visits) >= MOST_PAGES:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        page = web.WebSocketResponse(heartbeat=20, max_msg_size=LONGEST_MESSAGE)
        await page.prepare(request)
        visit = self._visits[page] = _Visit(self, page)
        for ringing in self._ringing.values():
            visit.tell(ringing.told())
        try:
            await visit.stay()
        finally:
            del self._visits[page]
        return page

    def ring(self, number: str, take: Take) -> Refusal | None:
        """A call to this number: why it does not ring. Raises OSError."""
        handset = self._handset_of(number)
        if handset is None:
            return 404, "Not Found"
        if not self._visits:  # no page is open: the telephone is switched off
            return 480, "Temporarily Unavailable"
        if (
            handset in self._ringing
            or self._calls >= MOST_CALLS
            or all(v.busy for v in self._visits.values())
        ):
            return 486, "Busy Here"
        ringing = self._ringing[handset] = Ringing(handset, take, lambda: list(self._visits.values()))
        self._tasks[handset] = asyncio.ensure_future(self._rings(ringing))
        return None

    async def _rings(self, ringing: Ringing) -> None:
        self._calls += 1
        try:
            await ringing.run()
        finally:
            self._calls -= 1
            del self._ringing[ringing.handset]

    async def close(self) -> None:
        """Hang up, and let the pages go."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVES_S):
                await asyncio.gather(*(page.close(code=_GOING_AWAY) for page in self._visits))
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    # What a visit needs

    def service(self) -> Service:
        """As it stands now."""
        return self._service()

    def call(self, handset: str, ear: Ear) -> Call | str:
        """A call of this handset; or, for the person at the page, why there is none."""
        service, caller = self._service(), self._caller_of(handset)
        if service.readiness is not Readiness.READY:
            return service.why or "The free number is not ready yet."
        if caller is None:
            return "There is no such handset."
        if self._calls >= MOST_CALLS:
            return "All lines are busy."
        try:
            return dial(self._line, caller, ear)
        except OSError:
            return "No call can be made now."

    def answer(self, handset: str, visit: _Visit) -> tuple[Call, asyncio.Task[None]] | None:
        """This page takes the call to a handset, if it rings still: the call, and what runs it."""
        ringing = self._ringing.get(handset)
        if ringing is None or ringing.taken:
            return None
        return ringing.answer(visit), self._tasks[handset]

    def decline(self, handset: str) -> None:
        """It rings no more, on any page."""
        ringing = self._ringing.get(handset)
        if ringing is not None and not ringing.taken:
            ringing.decline()

    async def run(self, call: Call) -> None:
        """Until it is over."""
        self._calls += 1
        try:
            await call.run()
        finally:
            self._calls -= 1


class _Visit:
    """One open page and its call."""

    def __init__(self, booth: Booth, page: web.WebSocketResponse) -> None:
        self._booth = booth
        self._page = page
        self._backlog: asyncio.Queue[str | bytes] = asyncio.Queue(BACKLOG)
        self._call: Call | None = None
        self._running: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """It is in a call."""
        return self._running is not None and not self._running.done()

    async def stay(self) -> None:
        """Until the page closes."""
        works = [asyncio.ensure_future(work) for work in (self._write(), self._tell_service())]
        try:
            async for message in self._page:
                if message.type is WSMsgType.TEXT:
                    self._asked(message.data)
        finally:
            for work in works:
                work.cancel()
            await self._leave()

    def _asked(self, data: str) -> None:
        try:
            wish = json.loads(data)
            kind = str(wish["type"])
            if kind == "dial":
                self._dial(str(wish["handset"]))
            elif kind == "answer":
                self._answer(str(wish["handset"]))
            elif kind == "decline":
                self._booth.decline(str(wish["handset"]))
            elif self._call is not None and kind == "key":
                self._call.press(str(wish["key"]))
            elif self._call is not None and kind == "hang_up":
                self._call.hang_up()
        except (ValueError, KeyError, TypeError, RecursionError):
            self.tell({"type": "refused", "why": "The telephone did not understand the page."})

    def _dial(self, handset: str) -> None:
        if self.busy:
            self.tell({"type": "refused", "why": "This page is in a call already."})
            return
        call = self._booth.call(handset, Ear(stage=self.on_stage, sound=self.put))
        if isinstance(call, str):
            self.on_stage(Stage.OVER, call)
            return
        self._call, self._running = call, asyncio.ensure_future(self._booth.run(call))

    def _answer(self, handset: str) -> None:
        if self.busy:
            self.tell({"type": "refused", "why": "This page is in a call already."})
            return
        found = self._booth.answer(handset, self)
        if found is not None:
            self._call, self._running = found

    async def _leave(self) -> None:
        """Hang up; a call that does not end is given up."""
        if self._call is None or self._running is None:
            return
        self._call.hang_up()
        await asyncio.wait({self._running}, timeout=LEAVES_S)
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    def on_stage(self, stage: Stage, why: str) -> None:
        self.tell({"type": "call", "stage": stage, "why": why})

    def tell(self, message: dict[str, Any]) -> None:
        self.put(json.dumps(message))

    def put(self, message: str | bytes) -> None:
        """A page that falls behind loses sound first; one that asks faster than it reads, answers."""
        if isinstance(message, bytes) and self._backlog.qsize() >= BACKLOG // 2:
            return
        with contextlib.suppress(asyncio.QueueFull):
            self._backlog.put_nowait(message)

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                message = await self._backlog.get()
                if isinstance(message, bytes):
                    await self._page.send_bytes(message)
                else:
                    await self._page.send_str(message)

    async def _tell_service(self) -> None:
        told: Service | None = None
        while told is None or told.readiness is Readiness.PREPARING:
            service = self._booth.service()
            if service != told:
                told = service
                self.tell({"type": "service"} | asdict(service))
            await asyncio.sleep(LOOK_S)
