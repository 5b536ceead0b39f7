"""asterisk-ami's client, hardened: the only place that knows that library. On asyncio, one connection each.

What it keeps: actions, answers, events and how they are given to listeners. What it replaces, and why:
connecting (IPv6, TLS, bounded), reading (an idle time-out that asks with a Ping; an error in a listener ends
nothing; lines end with CR LF only), sending (values are validated), ids (nobody can guess them), waiting (it
ends, by an answer, by time or by the end of the connection).
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from asterisk.ami import AMIClient
from asterisk.ami.action import Action, LoginAction, LogoffAction
from asterisk.ami.event import Event
from asterisk.ami.response import Response

from config import tls
from config.ivr_settings import AmiSettings
from ivr.ami.call_table import EVENTS
from ivr.ami.faults import AmiError, Garbage, LoginRefused, Lost, Refused, Unreachable
from ivr.ami.parsing import Packs, greeted, parse
from ivr.ami.rendering import render

log = structlog.get_logger()
CHUNK: Final = 64 * 1024
MOST_UNWRITTEN: Final = 256 * 1024  # octets that Asterisk does not read

OnEvent = Callable[[str, Mapping[str, str]], None]


class AmiClient(AMIClient):
    """One session, from `open` to its end; not reusable. `over` is set when it ends, `fault` says why."""

    def __init__(
        self, settings: AmiSettings, on_event: OnEvent, on_stray: Callable[[], None] = lambda: None
    ) -> None:
        """`on_event`: name and headers of each event that we read. `on_stray`: told of each other event.

        Those the filter in Asterisk's manager.conf should have held back.
        """
        super().__init__(settings.host, settings.port)  # type: ignore[no-untyped-call]  # a library without types
        self.over = asyncio.Event()
        self.fault = ""
        self._settings = settings
        self._on_stray = on_stray
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self.add_event_listener(
            on_event=lambda event, source: on_event(event.name, event.keys),  # noqa: ARG005 - by name
            white_list=list(EVENTS),
        )

    @property
    def unwritten(self) -> int:
        """Octets of actions that the network has not taken."""
        return 0 if self._writer is None else self._writer.transport.get_write_buffer_size()

    async def open(self) -> None:
        """Connect and log in. Raises Unreachable, LoginRefused."""
        try:
            async with asyncio.timeout(self._settings.connect_timeout_s):
                await self.connect()
        except (OSError, TimeoutError, ValueError, EOFError, Garbage) as err:
            self._end("not connected")
            raise Unreachable(_why(err)) from err
        self._listening = asyncio.create_task(self.listen())
        settings = self._settings
        try:
            await self._ask(LoginAction(settings.username, settings.secret.get_secret_value()))
        except Refused as err:
            await self.close()
            raise LoginRefused(str(err)) from err
        except AmiError as err:
            await self.close()
            raise Unreachable(str(err)) from err

    async def ask(
        self, name: str, fields: Mapping[str, str], variables: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        """The headers of Asterisk's answer to an action. Raises Unsendable, Refused, Lost."""
        return await self._ask(Action(name, dict(fields), dict(variables or {})))

    async def close(self) -> None:
        """Log off without waiting for the answer."""
        if not self.over.is_set():
            with contextlib.suppress(AmiError):
                self.send(LogoffAction())
        self._end("closed by us")
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)

    # What the library's own methods call, or are.

    async def connect(self) -> None:
        settings = self._settings
        how: dict[str, Any] = {}
        if settings.tls:
            # In a thread, since the system's authorities take some time to read.
            how["ssl"] = await asyncio.to_thread(tls.context, settings)
            how["server_hostname"] = settings.tls_server_hostname or settings.host
        self._reader, self._writer = await asyncio.open_connection(settings.host, settings.port, **how)
        try:
            greeted(await self._reader.readuntil(b"\r\n"))
        except asyncio.LimitOverrunError as err:
            raise Garbage("a greeting without an end") from err

    async def listen(self) -> None:
        fault = "Asterisk closed the connection"
        packs = Packs()
        try:
            while octets := await self._heard():
                for pack in packs.feed(octets):
                    self.fire_recv_pack(pack)
        except TimeoutError:
            fault = "Asterisk is silent"
        except (OSError, AmiError) as err:
            fault = f"the connection broke: {_why(err)}"
        self._end(fault)

    def next_action_id(self) -> str:
        return f"a{secrets.token_hex(16)}"

    def send_action(self, action: Action, callback: None = None) -> asyncio.Future[Response]:  # noqa: ARG002
        action_id = action.keys.setdefault("ActionID", self.next_action_id())
        self.send(action)
        answer = self._futures[action_id] = asyncio.get_running_loop().create_future()
        return answer

    def send(self, pack: Action) -> None:
        octets = render(pack.name, pack.keys, pack.variables)
        if self._writer is None or self.over.is_set():
            raise Lost(self.fault or "not connected")
        if self.unwritten > MOST_UNWRITTEN:
            raise Lost("Asterisk does not read")
        self._writer.write(octets)

    def fire_recv_pack(self, pack: bytes) -> None:
        told = parse(pack)
        try:
            if told is None:
                self._fire_on_unknown(pack=pack)
            elif told.kind == "Event":
                if told.name not in EVENTS:
                    self._on_stray()
                self.fire_recv_event(Event(told.name, told.headers))
            else:
                self.fire_recv_reponse(Response(told.name, told.headers))
        except Exception:
            # A listener's trouble is not the connection's.
            log.exception("an event of Asterisk was not taken")

    def fire_recv_reponse(self, response: Response) -> None:
        answer = self._futures.pop(response.keys.get("ActionID"), None)
        if answer is not None and not answer.done():
            answer.set_result(response)

    async def _ask(self, action: Action) -> Mapping[str, str]:
        answer = self.send_action(action)
        try:
            async with asyncio.timeout(self._settings.answer_timeout_s):
                response = await answer
        except TimeoutError as err:
            raise Lost("Asterisk does not answer") from err
        finally:
            self._futures.pop(action.keys["ActionID"], None)
        headers: Mapping[str, str] = response.keys
        if response.is_error():
            raise Refused(headers.get("Message", "without a reason"))
        return headers

    async def _heard(self) -> bytes:
        """The next octets; b"" at the end. Raises TimeoutError where a Ping stays without an answer."""
        if self._reader is None:
            return b""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.ping_s):
                return await self._reader.read(CHUNK)
        self.send_action(Action("Ping"))
        async with asyncio.timeout(self._settings.answer_timeout_s):
            return await self._reader.read(CHUNK)

    def _end(self, fault: str) -> None:
        if self.over.is_set():
            return
        self.fault = fault
        self.over.set()
        for answer in self._futures.values():
            if not answer.done():
                answer.set_exception(Lost(fault))
                answer.exception()  # of a Ping nobody asks
        self._futures.clear()
        if self._writer is not None:
            self._writer.close()


def _why(err: Exception) -> str:
    """For the operator, without OpenSSL's own places in it."""
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"TLS: Asterisk's certificate is not trusted: {err.verify_message}"
    if isinstance(err, ssl.SSLError):
        return f"TLS: {(err.reason or str(err)).replace('_', ' ').lower()}"
    if isinstance(err, EOFError):
        return "it closed the connection at once"
    return str(err) or "no answer"
