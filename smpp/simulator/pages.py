"""The open pages: a websocket and a bounded backlog each; one that falls behind is let go and opens anew."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any, Final

from aiohttp import WSMsgType, web

_MOST_PAGES: Final = 16
_LONGEST_MESSAGE: Final = 16_384
_BACKLOG: Final = 500
_GOING_AWAY, _TRY_AGAIN = 1001, 1013  # RFC 6455, 7.4.1, and its registry

Asked = Callable[[str], dict[str, Any] | None]


class Pages:
    """Knows every open page."""

    def __init__(self) -> None:
        self._open: dict[web.WebSocketResponse, asyncio.Queue[str]] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def tell(self, message: str) -> None:
        """Send to every page; never blocks."""
        for page, backlog in list(self._open.items()):
            try:
                backlog.put_nowait(message)
            except asyncio.QueueFull:
                del self._open[page]
                task = asyncio.create_task(_close(page, _TRY_AGAIN))
                self._closing.add(task)
                task.add_done_callback(self._closing.discard)

    async def serve(
        self, request: web.Request, *, hello: Callable[[], dict[str, Any]], asked: Asked
    ) -> web.StreamResponse:
        """One page, until it closes. `asked` takes what it sends and may return an answer for it alone."""
        if len(self._open) >= _MOST_PAGES:
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        page = web.WebSocketResponse(heartbeat=20, max_msg_size=_LONGEST_MESSAGE)
        await page.prepare(request)
        backlog: asyncio.Queue[str] = asyncio.Queue(_BACKLOG)
        # From here to the registration nothing waits, so no event falls between the picture and its changes.
        backlog.put_nowait(json.dumps(hello(), ensure_ascii=False))
        self._open[page] = backlog
        writer = asyncio.create_task(_write(page, backlog))
        try:
            async for message in page:
                if message.type is WSMsgType.TEXT and (answer := asked(message.data)):
                    backlog.put_nowait(json.dumps(answer, ensure_ascii=False))
        except asyncio.QueueFull:
            pass  # it asks faster than it reads
        finally:
            self._open.pop(page, None)
            writer.cancel()
        return page

    async def close(self) -> None:
        """Tell every page to come back later."""
        await asyncio.gather(*(_close(page, _GOING_AWAY) for page in list(self._open)))


async def _write(page: web.WebSocketResponse, backlog: asyncio.Queue[str]) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            await page.send_str(await backlog.get())


async def _close(page: web.WebSocketResponse, code: int) -> None:
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(2):
            await page.close(code=code)
