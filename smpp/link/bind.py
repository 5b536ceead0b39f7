"""One bind of a link, kept up: connect, bind, and after each loss try again, ever less eagerly.

Of several hosts one after the other is tried, without a pause until all were in vain.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import ssl
from collections.abc import Callable
from typing import Any, Final

from config import tls
from config.backoff import Backoff
from config.link_settings import Address, LinkSettings
from smpp.link.hosts import Hosts
from smpp.protocol.codec import BindKind
from smpp.session.session import Session

# For the TLS farewell of a connection that is closed; then it is cut.
_TLS_FAREWELL_S: Final = 2.0
STABLE_S: Final = 60.0  # a bind that stood for so long makes the next attempt eager again


class Line:
    """Keeps a session of one kind to one SMSC."""

    def __init__(
        self,
        settings: LinkSettings,
        kind: BindKind,
        make_session: Callable[[BindKind, Address], Session],
        on_change: Callable[[], None],
        *,
        first: int = 0,
    ) -> None:
        """`make_session`: a new session that is not yet connected. `on_change`: look at this line anew.

        `first`: of the link's hosts, where this bind begins.
        """
        self.kind = kind
        self.session: Session | None = None
        self.fault = ""  # why there was no bind, last
        self.trying = False  # connecting or binding now, not waiting for the next attempt
        self.failed = False  # each host was tried in vain, last
        self.passed_over = ""  # why the bind stands at no earlier host
        self.submitted = 0  # segments
        self._settings = settings
        self._hosts = Hosts(settings.addresses, first)
        self._make_session = make_session
        self._on_change = on_change
        self._backoff = Backoff(settings.reconnect_max_s)
        self._stopping = asyncio.Event()
        self._closed = asyncio.Event()
        self._patience: asyncio.Timeout | None = None  # while connecting

    @property
    def bound(self) -> bool:
        """The SMSC has accepted the bind, and it stands."""
        return self.session is not None and self.session.bound

    @property
    def free(self) -> int:
        """Segments that may be submitted now over this bind."""
        return 0 if self.session is None else self.session.window_free

    @property
    def clogged(self) -> bool:
        """What was submitted waits for the network to take it."""
        return self.session is not None and self.session.clogged

    def flush(self) -> None:
        """Write what was submitted in this turn of the loop, now."""
        if self.session is not None:
            self.session.flush()

    @property
    def in_flight(self) -> int:
        """Segments that wait for the SMSC's answer."""
        return 0 if self.session is None else self.session.in_flight

    async def run(self) -> None:
        """Keep the bind up until `stop`."""
        try:
            while not self._stopping.is_set():
                await self._one_round()
                await self._rest()
        finally:
            if self.session is not None:
                self.session.abort("the process ends")

    def stop(self, deadline_s: float) -> None:
        """Ask for the end: in flight work first, for at most `deadline_s`."""
        self._stopping.set()
        if self._patience is not None:
            self._patience.reschedule(0.0)
        elif self.session is not None:
            self.session.stop(deadline_s)

    def on_closed(self, session: Session) -> None:
        """The owner's word that the session is over."""
        if session is self.session:
            self._closed.set()

    async def _one_round(self) -> None:
        """One host after the other, until a bind has stood at one, and is over."""
        self._set_trying(True)
        faults = list[str]()
        for address in self._hosts.round():
            if self._stopping.is_set():
                break
            self.passed_over = "; ".join(faults)
            stood, fault = await self._one_session(address)
            if stood:
                faults.clear()
                self._hosts.lost(address)
            faults.append(self._told(address, fault))
            self.fault = "; ".join(faults)
            self.failed = not stood and len(faults) == len(self._settings.addresses)
            if stood:
                break
        self._set_trying(False)

    async def _one_session(self, address: Address) -> tuple[bool, str]:
        """Whether a bind has stood there, and why it is over."""
        loop = asyncio.get_running_loop()
        self._closed.clear()
        session = self.session = self._make_session(self.kind, address)
        try:
            async with asyncio.timeout(self._settings.bind_timeout_s) as self._patience:
                await self._connect(session, address)
            self._patience = None
            await self._closed.wait()
            if session.bound_at and loop.time() - session.bound_at >= STABLE_S:
                self._backoff.reset()
            stood, fault = session.bound_at > 0, session.fault
        except (OSError, TimeoutError, ValueError) as err:  # the last for a host or a TLS file that is none
            stood, fault = False, f"cannot connect: {_why(err)}"
        self._patience = self.session = None  # where it is cancelled, `run` still has to cut it
        return stood, fault

    def _told(self, address: Address, fault: str) -> str:
        return f"{address}: {fault}" if len(self._settings.addresses) > 1 else fault

    async def _connect(self, session: Session, address: Address) -> None:
        settings = self._settings
        how: dict[str, Any] = {}
        if settings.tls:
            how = {
                # In a thread, since the system's authorities take some time to read.
                "ssl": await asyncio.to_thread(tls.context, settings),
                "server_hostname": settings.tls_server_hostname or address.host,
                "ssl_shutdown_timeout": _TLS_FAREWELL_S,
            }
        if settings.local_host:
            how["local_addr"] = (settings.local_host, 0)
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: session, address.host, address.port, **how)

    async def _rest(self) -> None:
        # A random number for spreading load, not for secrets.
        delay = self._backoff.next_s(random.random())  # noqa: S311
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._stopping.wait()

    def _set_trying(self, trying: bool) -> None:
        self.trying = trying
        self._on_change()


def _why(err: Exception) -> str:
    """For the operator, without OpenSSL's own places in it."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"TLS: the SMSC's certificate is not trusted: {err.verify_message}"
    if isinstance(err, ssl.SSLError):
        return f"TLS: {(err.reason or str(err)).replace('_', ' ').lower()}"
    return str(err) or "no answer"
