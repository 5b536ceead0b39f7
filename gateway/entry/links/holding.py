"""One link and this process: it stands by until nobody holds the link, then holds it until it ends.

While it holds the link, its binds are kept up and its texts are sent. When the SMSC is gone for long, the
texts move to a link that the settings name, and new ones follow them, until the SMSC is back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError

from config.link_settings import LinkSettings
from config.outage import Outage
from gateway.domain.links.absence import Absence
from gateway.store.links.lease import Holder, Lease
from smpp.link.link import Link
from smpp.sending.sender import Sender
from smpp.session.counters import Tally

HELD_FOR_S: Final = 4.0  # a lease that is not renewed; so long does a standby wait for a frozen holder
LOOK_EVERY_S: Final = 1.0
FILED_WITHIN: Final = 0.25  # share of the deadline, after the link's own, for filing outcomes
log = structlog.get_logger()


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """How what a link needs is made and asked; nothing runs before it is told to.

    `successor`: the link that may take over the texts of one that is gone. `move`: moves them; how many.
    """

    link: Callable[[LinkSettings, Tally], Link]
    sender: Callable[[Link, Callable[[], bool]], Sender]
    lease: Callable[[str], Lease]
    successor: Callable[[LinkSettings], Awaitable[str | None]]
    move: Callable[[str, str], Awaitable[int]]


class Holding(Protocol):
    """Told what this process holds."""

    def tally(self, name: str) -> Tally: ...
    def on_link(self, link: Link) -> None: ...
    def on_sender(self, link: Link, sender: Sender) -> None: ...
    def on_end(self, link: Link) -> None: ...


class Tenure:
    """`begin` it once, then `stop` it."""

    def __init__(self, settings: LinkSettings, parts: Parts, holding: Holding) -> None:
        self.settings = settings
        self._name = settings.name
        self._parts = parts
        self._holding = holding
        self._lease = parts.lease(settings.name)
        self._stopping = asyncio.Event()
        self._deadline_s = 0.0
        self._running: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._linked: asyncio.Task[None] | None = None
        self._sender: Sender | None = None
        self._sending: asyncio.Task[None] | None = None
        self._term = 0  # of the lease, in which the sender was made
        self._absence = Absence(settings.failover_after_s)
        self._told: Holder | None = None  # who was said to hold the link
        self._away = Outage("redis away: the lease of the link is not renewed", link=settings.name)

    def begin(self) -> None:
        """Hold the link as soon as nobody else does."""
        self._running = asyncio.create_task(self._run())

    async def stop(self, deadline_s: float) -> None:
        """No new texts; what is in flight is finished and filed; unbind; give the lease back.

        It goes on where the wait for it is given up; then somebody else may wait for it.
        """
        self._deadline_s = deadline_s
        self._stopping.set()
        if self._running is not None:
            await asyncio.shield(self._running)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                held = await self._renew()
                if held and self._link is None:
                    self._take_up()
                elif not held and self._link is not None:
                    await self._give_up()
                elif self._broken():
                    await self._drop()
                elif self._sending is not None and self._term != self._lease.term:
                    await self._send_anew()
                if self._link is not None:
                    await self._look_after(self._link)
            except (RedisError, OSError, TimeoutError) as err:
                # The binds stay: without Redis nobody else can take the link, and nothing is submitted
                # once the lease has run out.
                self._away.on(type(err).__name__)
            else:
                self._away.over()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._stopping.wait()
        await self._end()

    async def _renew(self) -> bool:
        holder = await self._lease.take()
        if holder is not None and holder != self._told:
            log.info("stands by: another process holds the link", link=self._name, holder=str(holder))
        self._told = holder
        return holder is None

    def _take_up(self) -> None:
        link = self._link = self._parts.link(self.settings, self._holding.tally(self._name))
        self._holding.on_link(link)
        self._send(link)
        self._linked = asyncio.create_task(link.run())

    def _send(self, link: Link) -> None:
        self._term = self._lease.term
        sender = self._sender = self._parts.sender(link, partial(self._holds, self._term))
        self._holding.on_sender(link, sender)
        self._sending = asyncio.create_task(sender.run())

    def _holds(self, term: int) -> bool:
        """A sender may submit while the lease in whose term it was made stands."""
        return self._lease.valid and self._lease.term == term

    async def _look_after(self, link: Link) -> None:
        now = asyncio.get_running_loop().time()
        self._absence.look(now, bound=link.health.bound, outages=link.outages)
        if self._absence.over and self._sending is None:
            log.info("the smsc is back: texts leave by their own link again", link=self._name)
            self._send(link)
        elif self.settings.fallbacks and self._absence.too_long(now):
            await self._fail_over()

    async def _fail_over(self) -> None:
        to = await self._parts.successor(self.settings)
        if to is None:
            return
        if self._sending is not None:
            await self._stop_sending(LOOK_EVERY_S)
        moved = await self._parts.move(self._name, to)
        if moved:
            log.warning("texts moved to another link", link=self._name, to=to, texts=moved)

    async def _stop_sending(self, within_s: float) -> None:
        """Outcomes are filed, what was not submitted is handed back; what is in doubt keeps its intent."""
        if self._sender is not None and self._sending is not None:
            self._sender.stop()
            await asyncio.wait({self._sending}, timeout=within_s)
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        self._sending = None

    async def _give_up(self) -> None:
        """Another process holds the link: not one more PDU of ours."""
        log.error("the link was taken over by another process", link=self._name, holder=str(self._told))
        await self._drop()

    def _broken(self) -> bool:
        """Whether one of what runs as long as the link is held has ended by itself."""
        return any(task is not None and task.done() for task in (self._linked, self._sending))

    async def _drop(self) -> None:
        """End all at once; what failed by itself is told. If the link is still ours, it is taken up anew."""
        for task in (self._linked, self._sending):
            if task is not None:
                task.cancel()
                (ended,) = await asyncio.gather(task, return_exceptions=True)
                if isinstance(ended, Exception):
                    log.error("a link failed by itself", link=self._name, exc_info=ended)
        self._forget()

    async def _send_anew(self) -> None:
        """Another process held the link meanwhile and is gone: what this one remembers of texts is old."""
        log.warning("another process held the link meanwhile: its texts are taken anew", link=self._name)
        if self._sending is not None and self._link is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
            self._send(self._link)

    async def _end(self) -> None:
        if self._link is not None:
            if self._sender is not None:
                self._sender.stop()
            await self._link.stop(self._deadline_s)
            await self._stop_sending(max(1.0, self._deadline_s * FILED_WITHIN))
            if self._linked is not None:
                self._linked.cancel()
                await asyncio.gather(self._linked, return_exceptions=True)
            self._forget()
        with contextlib.suppress(RedisError, OSError, TimeoutError):  # else it runs out by itself
            await self._lease.give_back()

    def _forget(self) -> None:
        if self._link is not None:
            self._holding.on_end(self._link)
        self._link = self._linked = self._sender = self._sending = None
        self._absence = Absence(self.settings.failover_after_s)
