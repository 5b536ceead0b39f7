"""The door of the API: connections that ask for nothing take nobody's place.

aiohttp lets a connection wait for its first complete request as long as it likes. Here one that is silent, or
slow with its header, is given up; and where there are too many, of one address or at all, the one that has
been idle longest goes, so that whoever asks something is let in.
"""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from aiohttp.web_protocol import RequestHandler

from config.outage import Outage
from gateway.http.guard import Networks

HEADER_S: Final = 10.0  # until a request that has begun is complete, or a new connection asks
KEPT_S: Final = 75.0  # that a connection waits for its next request
LOOK_EVERY_S: Final = 1.0
QUIET_S: Final = 60.0  # without one too many: then the log says that it is over
_OTHER_FILES: Final = 200  # that this process may need beside its connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How many connections there may be: at all, and of one address that is no trusted proxy."""

    most: int
    of_one: int
    trusted: Networks


def room(most: int, of_one: int, trusted: Networks) -> Room:
    """As the settings have it, as far as the system lets this process have files, which it asks for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most + _OTHER_FILES
    if soft < wanted:
        with suppress(ValueError, OSError):
            raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    fits = max(1, files - _OTHER_FILES) if files > 0 else most
    return Room(most=min(most, fits), of_one=min(of_one, fits), trusted=trusted)


REASONS: Final = ("silent", "address", "all")  # for which a connection is given up


class Door:
    """`dropped`: told why a connection was given up: silent, address or all."""

    def __init__(self, room: Room, dropped: Callable[[str], None]) -> None:
        self._room = room
        self._dropped = dropped
        self._inside: Counter[str] = Counter()  # by address
        self._idle: dict[_Visitor, float] = {}  # when each is given up, in the order in which they became so
        self._crowd = Outage("connections to the API were given up")
        self._crowded_at = 0.0
        self._server: web.Server | None = None

    @property
    def trusted(self) -> Networks:
        """Proxies, which have as many connections as they need."""
        return self._room.trusted

    def serve(self, server: web.Server) -> None:
        """Whose requests they are."""
        self._server = server

    def __call__(self) -> RequestHandler:
        """For each connection, as asyncio asks for it."""
        loop = asyncio.get_running_loop()
        return _Visitor(self, self._server, loop=loop, access_log=None, keepalive_timeout=2 * KEPT_S)

    @property
    def middleware(self) -> Middleware:
        """Outermost: a request that is complete is nobody's idle connection."""

        @web.middleware
        async def around(request: web.Request, handler: Handler) -> web.StreamResponse:
            visitor = request.protocol
            if not isinstance(visitor, _Visitor):
                return await handler(request)
            self._idle.pop(visitor, None)
            try:
                return await handler(request)
            finally:
                self._rests(visitor, KEPT_S)

        return around

    async def run(self) -> None:
        """Give up what is over its time, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            now = asyncio.get_running_loop().time()
            for visitor in [one for one, until in self._idle.items() if until <= now]:
                self._give_up(visitor, "silent")
            if now - self._crowded_at > QUIET_S:
                self._crowd.over()

    def came(self, visitor: _Visitor) -> None:
        """A connection; another one goes where there is no room."""
        self._inside[visitor.address] += 1
        crowded = visitor.counted and self._inside[visitor.address] > self._room.of_one
        if crowded or self._inside.total() > self._room.most:
            others = (one for one in self._idle if not crowded or one.address == visitor.address)
            self._give_up(next(others, visitor), "address" if crowded else "all")
        if not visitor.gone:
            self._rests(visitor, HEADER_S)

    def heard(self, visitor: _Visitor) -> None:
        """Something of a request: the rest must follow."""
        until = self._idle.get(visitor)
        if until is not None and not visitor.begun:
            visitor.begun = True
            self._idle[visitor] = min(until, asyncio.get_running_loop().time() + HEADER_S)

    def went(self, visitor: _Visitor) -> None:
        """It is over."""
        self._idle.pop(visitor, None)
        self._inside[visitor.address] -= 1
        if not self._inside[visitor.address]:
            del self._inside[visitor.address]

    def _rests(self, visitor: _Visitor, seconds: float) -> None:
        if not visitor.gone:
            visitor.begun = False
            self._idle[visitor] = asyncio.get_running_loop().time() + seconds

    def _give_up(self, visitor: _Visitor, why: str) -> None:
        self._idle.pop(visitor, None)
        self._dropped(why)
        if why != "silent":
            self._crowd.on(_TOLD[why])
            self._crowded_at = asyncio.get_running_loop().time()
        visitor.end()


_TOLD: Final = {"address": "too many of one address", "all": "too many at all"}


class _Visitor(RequestHandler):
    """A connection, which tells the door of itself."""

    __slots__ = ("address", "begun", "counted", "door", "gone")

    def __init__(self, door: Door, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.door = door
        self.address = ""
        self.counted = self.begun = self.gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if isinstance(peer, tuple) else ""
        self.counted = bool(self.address) and not self._is_trusted()
        self.door.came(self)

    def data_received(self, data: bytes) -> None:
        self.door.heard(self)
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.gone = True
        self.door.went(self)
        super().connection_lost(exc)

    def end(self) -> None:
        """Give it up, with what it has not sent."""
        self.gone = True
        if self.transport is not None:
            self.transport.abort()

    def _is_trusted(self) -> bool:
        try:
            found = ip_address(self.address.partition("%")[0])
        except ValueError:
            return False
        return any(found in network for network in self.door.trusted)


class DoorRunner(web.AppRunner):
    """An application behind a door."""

    def __init__(self, app: web.Application, door: Door, **kwargs: Any) -> None:
        super().__init__(app, **kwargs)
        self._door = door

    @property
    def server(self) -> Any:
        """What makes a handler of each connection."""
        made = super().server
        if made is None:
            return None
        self._door.serve(made)
        return self._door
