"""Keeps one session with Asterisk's manager interface up, and makes calls over it."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections.abc import Mapping
from typing import Final

import structlog

from config.backoff import Backoff
from config.ivr_settings import AmiSettings
from ivr.ami.call_result import CallEnd
from ivr.ami.call_table import CallTable
from ivr.ami.client import AmiClient
from ivr.ami.faults import AmiError, LoginRefused, Lost, Refused
from ivr.ami.originate import Originate

NORMAL_CLEARING: Final = 16  # ITU-T Q.850
log = structlog.get_logger()


def new_call_id() -> str:
    """An id for a call that nobody can guess: its ActionID, and the Uniqueid of its channel."""
    return f"o{secrets.token_hex(16)}"


class Manager:
    """`run` it as a task; `originate` works while `up` is set. To be made inside the event loop."""

    def __init__(self, settings: AmiSettings) -> None:
        self.up = asyncio.Event()
        self.fault = "not connected yet"  # why it is not up; empty while it is
        self.sessions = 0  # that were opened so far
        self.refusals = 0  # of our login
        self.strays = 0  # events that the filter in Asterisk's manager.conf should have held back
        self._heard_at = time.monotonic()
        self._settings = settings
        self._backoff = Backoff(settings.reconnect_max_s)
        self._calls = CallTable()
        self._client: AmiClient | None = None
        self._stopping = asyncio.Event()

    @property
    def quiet_s(self) -> float:
        """Seconds since the last event, or since this manager was made."""
        return time.monotonic() - self._heard_at

    async def run(self) -> None:
        """Connect, and after each loss again, ever less eagerly, until `stop`."""
        while not self._stopping.is_set():
            pause_s = await self._one_session()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._stopping.wait()

    async def stop(self) -> None:
        """Log off. What comes of calls on their way is unknown then."""
        self._stopping.set()
        if self._client is not None:
            await self._client.close()

    @property
    def clogged(self) -> bool:
        """What was asked waits for the network, or for an Asterisk that does not read."""
        return self._client is not None and self._client.unwritten > 0

    async def originate(self, order: Originate, call_id: str = "") -> CallEnd:
        """Make a call and wait for its end, at most `order.deadline_s`. `call_id`: of `new_call_id`.

        Raises Unsendable, Refused and, where the call may or may not have been begun, Lost. The action is
        written before this waits for anything, unless `clogged`.
        """
        if self._client is None or not self.up.is_set():
            raise Lost(self.fault)
        call_id = call_id or new_call_id()
        end = self._calls.begin(call_id, order.deadline_s)
        try:
            await self._client.ask("Originate", order.fields(call_id), order.variables)
            return await end
        finally:
            self._calls.forget(call_id)

    async def hang_up(self, call_id: str) -> bool:
        """End a call of ours; False where Asterisk has no channel of it, not yet or no more. Raises Lost."""
        if self._client is None or not self.up.is_set():
            raise Lost(self.fault)
        try:
            # A channel is also found by its Uniqueid (ast_channel_get_by_name).
            await self._client.ask("Hangup", {"Channel": call_id, "Cause": str(NORMAL_CLEARING)})
        except Refused:
            return False
        return True

    def _heard(self, event: str, headers: Mapping[str, str]) -> None:
        self._heard_at = time.monotonic()
        self._calls.heard(event, headers)

    def _stray(self) -> None:
        self._heard_at = time.monotonic()
        self.strays += 1

    async def _one_session(self) -> float:
        """From connecting to the loss; returns the seconds to wait before the next."""
        client = self._client = AmiClient(self._settings, self._heard, self._stray)
        try:
            await client.open()
            self._backoff.reset()
            self.sessions += 1
            self.fault = ""
            self.up.set()
            log.info("connected to Asterisk's manager interface")
            await client.over.wait()
            self.fault = client.fault
        except LoginRefused as err:
            # Again and again at once would only lock us out and fill Asterisk's log.
            self.refusals += 1
            self.fault = f"login refused: {err}"
            log.error("Asterisk refuses our manager user", told=str(err), user=self._settings.username)
            return self._settings.reconnect_max_s
        except AmiError as err:
            self.fault = f"cannot connect: {err}"
        finally:
            self.up.clear()
            self._calls.lose()
            await client.close()
        if not self._stopping.is_set():
            log.warning("Asterisk's manager interface is away", cause=self.fault)
        return self._backoff.next_s(random.random())  # noqa: S311 - spreads load, no secret
