"""The FastAGI server: one coroutine a call, chosen by the path of the request. Knows no authentication."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.agi.limits import AgiLimits
from ivr.agi.peer import Peer

Script = Callable[[Channel], Awaitable[None]]
log = structlog.get_logger()
_LINGER_S: Final = 1.0  # for what was written, when a connection closes
_BACKLOG: Final = 512  # connections that wait for us to take them


class AgiServer:
    """Plays scripts for Asterisk. What a peer does ends its own call at most."""

    def __init__(
        self,
        routes: Mapping[str, Script],
        limits: AgiLimits,
        on_fault: Callable[[Fault], None],
    ) -> None:
        """`routes`: by path, such as "/free". `on_fault`: told of each connection that was given up."""
        self._routes = routes
        self._limits = limits
        self._on_fault = on_fault
        self._calls: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def calls(self) -> int:
        """Connections now."""
        return len(self._calls)

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port, of interest where 0 was given. Raises OSError."""
        self._server = await asyncio.start_server(
            self._take, host, port, limit=self._limits.most_line, backlog=_BACKLOG
        )
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    async def stop(self, wait_s: float) -> None:
        """Take no more calls; those that have not ended by themselves within `wait_s` seconds are cancelled.

        Asterisk finds the connection closed and goes on in its dialplan, which apologises.
        """
        if self._server is not None:
            self._server.close()
        if self._calls:
            await asyncio.wait(self._calls, timeout=wait_s)
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        if call is None or len(self._calls) >= self._limits.most_calls:
            self._given_up(Fault.CROWDED)
            writer.transport.abort()
            return
        self._calls.add(call)
        try:
            await self._serve(Peer(reader, writer, self._limits))
        except asyncio.CancelledError:  # by `stop`; asyncio would tell of it as an error of its own
            return
        finally:
            self._calls.discard(call)
            await _close(writer)

    async def _serve(self, peer: Peer) -> None:
        try:
            async with asyncio.timeout(self._limits.call_s):
                env = await peer.environment()
                script = self._routes.get("/" + env.get("network_script", ""))
                if script is None:
                    raise AgiError(Fault.NO_ROUTE, "no such script")
                await script(Channel(peer, env, self._limits))
        except HungUp:
            return
        except AgiError as err:
            self._given_up(err.fault, str(err))
        except TimeoutError:
            self._given_up(Fault.ENDLESS)
        except Exception:
            # One call's trouble must not be another's; the caller hears the dialplan's apology.
            log.exception("a call ended by an error that nobody expected")
            self._given_up(Fault.OURS)

    def _given_up(self, fault: Fault, told: str = "") -> None:
        self._on_fault(fault)
        log.info("agi connection given up", cause=str(fault), told=told or None)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), _LINGER_S)
    writer.transport.abort()
