"""The simulator as a whole: the SMSC, the virtual phones' page, the campaign's codes and the live feed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from gateway.domain.sms import segments
from smpp.simulator import door
from smpp.simulator.demo import DemoFile
from smpp.simulator.pages import Pages
from smpp.simulator.relay import Relay
from smpp.simulator.smsc import Manners, Smsc
from smpp.simulator.switchboard import MOST_CHARACTERS, Switchboard, encoding
from smpp.simulator.texted import TextedCodes

_PAGE: Final = Path(__file__).parent / "page"
_KINDS: Final = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_DEMO_LOOK_S: Final = 1.0
TEXTED_FILE: Final = "demo-texted.json"  # beside the campaign's file


class Simulator:
    """Start it before `web_app` is served, stop it after.

    `demo`: path of the campaign's JSON file, which need not exist yet. `feed_url`: the gateway's live feed.
    """

    def __init__(
        self, *, host: str, smpp_port: int, demo: Path, feed_url: str, manners: Manners | None = None
    ) -> None:
        self._host = host
        self._pages = Pages()
        self._board = Switchboard(self._pages.tell, TextedCodes(demo.with_name(TEXTED_FILE)))
        self._demo = DemoFile(demo)
        self._relay = Relay(feed_url, on_events=self._on_feed, on_state=self._on_feed_state)
        self._tasks: list[asyncio.Task[None]] = []
        self.smsc = Smsc(self._board, host=host, port=smpp_port, manners=manners)

    async def start(self) -> None:
        """Listen for gateways. Raises OSError when the port is taken."""
        await self.smsc.start()
        self._demo.refresh()
        self._board.on_demo(self._demo.demo)
        self._tasks = [asyncio.create_task(self._relay.run()), asyncio.create_task(self._watch_demo())]

    async def stop(self, deadline_s: float) -> None:
        """Let go of pages and gateways."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._pages.close()
        await self.smsc.stop(deadline_s)

    def web_app(self) -> web.Application:
        """The page's application."""
        app = web.Application(middlewares=[door.guard(self._host)])
        app.router.add_get("/socket", self._socket)
        for file in sorted(_PAGE.iterdir()):
            path = "/" if file.name == "index.html" else f"/{file.name}"
            app.router.add_get(path, _served(file))
        return app

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not door.same_origin(request):
            raise web.HTTPForbidden(text="The websocket is for this page only.\n")
        return await self._pages.serve(request, hello=self._hello, asked=self._asked)

    def _hello(self) -> dict[str, Any]:
        return self._board.hello() | {"feed": list(self._relay.latest), "feed_live": self._relay.live}

    def _asked(self, data: str) -> dict[str, Any] | None:
        try:
            wish = json.loads(data)
            kind, text = str(wish["type"]), str(wish["text"])[: MOST_CHARACTERS + 1]
            if kind == "measure":
                return _measured(text)
            why = self._board.text(self.smsc, handset=str(wish["handset"]), to=str(wish["to"]), text=text)
        except (ValueError, KeyError, TypeError):
            why = "The simulator did not understand the page."
        return {"type": "refused", "why": why} if why else None

    def _on_feed(self, events: list[Any]) -> None:
        self._board.broadcast({"type": "feed", "events": events})

    def _on_feed_state(self, live: bool) -> None:
        self._board.broadcast({"type": "feed_state", "feed_live": live})

    async def _watch_demo(self) -> None:
        while True:
            await asyncio.sleep(_DEMO_LOOK_S)
            if self._demo.refresh():
                self._board.on_demo(self._demo.demo)


def _measured(text: str) -> dict[str, Any]:
    split = segments.split(text)
    name, alone = encoding(split.data_coding), len(split.parts) == 1
    if name == "UCS-2":
        room, used = (70 if alone else 67), len(split.parts[-1]) // 2
    else:
        room, used = (160 if alone else 153), len(split.parts[-1])
    return {"type": "measure", "encoding": name, "segments": len(split.parts), "left": room - used}


def _served(file: Path) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def serve(_request: web.Request) -> web.StreamResponse:
        return web.FileResponse(file, headers={"Content-Type": f"{_KINDS[file.suffix]}; charset=utf-8"})

    return serve
