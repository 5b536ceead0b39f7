"""Reads the gateway's live feed over HTTP, for as long as the page stands; away and back again is normal."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from typing import Any

import aiohttp

KEPT = 60  # events for a page that opens
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.5, 5.0
_SILENCE_S = 15.0  # the feed says something every two seconds
_LONGEST_LINE = 16_384


class Relay:
    """`on_events` gets lists of events as the gateway sent them, `on_state` whether the feed is live."""

    def __init__(
        self, url: str, *, on_events: Callable[[list[Any]], None], on_state: Callable[[bool], None]
    ) -> None:
        self._url = url
        self._on_events = on_events
        self._on_state = on_state
        self._last_id = ""
        self.latest: deque[Any] = deque(maxlen=KEPT)
        self.live = False

    async def run(self) -> None:
        """Until cancelled."""
        wait_s = _FIRST_WAIT_S
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=_SILENCE_S)
        async with aiohttp.ClientSession(timeout=timeout, read_bufsize=_LONGEST_LINE) as client:
            while True:
                try:
                    if await self._read(client):
                        wait_s = _FIRST_WAIT_S
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
                    pass  # whatever it was, the next attempt says whether it still is
                self._state(live=False)
                await asyncio.sleep(wait_s)
                wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _read(self, client: aiohttp.ClientSession) -> bool:
        """One connection, to its end. True when it was a feed."""
        headers = {"Accept": "text/event-stream"}
        if self._last_id:
            headers["Last-Event-ID"] = self._last_id
        async with client.get(self._url, headers=headers, allow_redirects=False) as response:
            if response.status != 200 or response.content_type != "text/event-stream":
                return False
            self._state(live=True)
            async for line in response.content:
                if line.startswith(b"data:"):
                    self._event(json.loads(line[5:]))
        return True

    def _event(self, event: Any) -> None:
        if not isinstance(event, dict) or not isinstance(event.get("fields"), dict):
            return
        self._last_id = str(event.get("id", ""))
        self.latest.append(event)
        self._on_events([event])

    def _state(self, *, live: bool) -> None:
        if live != self.live:
            self.live = live
            self._on_state(live)
