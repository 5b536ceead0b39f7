"""The page's websocket, from a handset's text to the gateway and back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from smpp.simulator.app import Simulator
from tests.integration.smpp.simulator.watching import PATIENCE_S, QUICK, RawGateway

Client = TestClient[web.Request, web.Application]
CODE = "1234-567-890-123"
DEMO = {"short_number": "4040", "firm": "Brew", "campaign": "Summer", "codes": [CODE, "CAP7-QX42"]}


class FakeApi:
    """The gateway's `/v1/feed`: events as they are put, over real Server-Sent Events."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self.asked_since: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked_since.append(request.headers.get("Last-Event-ID", ""))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b": alive\n\n")
        while (event := await self.events.get()) is not None:
            await response.write(f"id: {event['id']}\ndata: {json.dumps(event)}\n\n".encode())
        return response


class Page:
    """A browser's end of the websocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The next message that is wanted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                message: dict[str, Any] = await self.socket.receive_json()
                if wanted(message):
                    return message

    async def kind(self, name: str) -> dict[str, Any]:
        return await self.until(lambda message: message["type"] == name)

    async def tick(self, name: str) -> dict[str, Any]:
        """The next bubble with this tick."""
        found = await self.until(lambda m: m["type"] == "bubble" and m["bubble"]["tick"] == name)
        bubble: dict[str, Any] = found["bubble"]
        return bubble

    async def text(self, text: str, *, handset: str = "olena", to: str = "4040") -> None:
        await self.socket.send_json({"type": "text", "handset": handset, "to": to, "text": text})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
async def simulator(tmp_path: Path, api: FakeApi) -> AsyncIterator[Simulator]:
    (tmp_path / "demo.json").write_text(json.dumps(DEMO), encoding="utf-8")
    app = web.Application()
    app.router.add_get("/v1/feed", api.handle)
    async with TestServer(app) as server:
        whole = Simulator(
            host="127.0.0.1",
            smpp_port=0,
            demo=tmp_path / "demo.json",
            feed_url=str(server.make_url("/v1/feed")),
            manners=QUICK,
        )
        await whole.start()
        yield whole
        await whole.stop(1.0)


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[Client]:
    async with TestClient(TestServer(simulator.web_app())) as client:
        yield client


async def opened(client: Client) -> tuple[Page, dict[str, Any]]:
    origin = f"http://{client.host}:{client.port}"
    page = Page(await client.ws_connect("/socket", headers={"Origin": origin}))
    return page, await page.kind("hello")


async def answering(simulator: Simulator, reply: str) -> asyncio.Task[None]:
    """A gateway that acknowledges each text and then replies to it."""
    gateway, _ = await RawGateway.bind(simulator.smsc.port)

    async def serve() -> None:
        while True:
            sequence, body = await gateway.read_deliver()
            gateway.write(0x80000005, 0, sequence, b"\0")
            source, destination = body[3:].split(b"\0")[0], b"4040"
            octets = reply.encode("utf-16-be")
            head = b"\0\3\0" + destination + b"\0\1\1" + source + b"\0\0\0\0\0\0\0\0\x08\0"
            gateway.write(4, 0, 99, head + bytes((len(octets),)) + octets)

    return asyncio.create_task(serve())


async def test_a_new_page_is_told_everything(client: Client) -> None:
    _, hello = await opened(client)
    assert [handset["key"] for handset in hello["handsets"]] == ["olena", "aigerim", "dmitry", "grace"]
    assert hello["gateways"] == 0
    assert hello["demo"]["short_number"] == "4040"
    assert hello["demo"]["codes"] == [
        {"code": CODE, "texted_by": ""},
        {"code": "CAP7-QX42", "texted_by": ""},
    ]
    assert hello["bubbles"] == {"olena": [], "aigerim": [], "dmitry": [], "grace": []}


async def test_a_text_is_sent_acknowledged_and_answered(simulator: Simulator, client: Client) -> None:
    page, _ = await opened(client)
    gateway = await answering(simulator, "Зараховано 10 балів")
    await page.until(lambda m: m["type"] == "gateways" and m["gateways"] == 1)
    await page.text(f"Мій код {CODE}")
    sent = await page.tick("sent")
    acknowledged = await page.tick("acknowledged")
    answered = await page.tick("answered")
    reply = (await page.until(lambda m: m["type"] == "bubble" and m["bubble"]["direction"] == "received"))[
        "bubble"
    ]
    gateway.cancel()
    assert (sent["encoding"], sent["segments"], sent["peer"]) == ("UCS-2", 1, "4040")
    assert sent["id"] == acknowledged["id"] == answered["id"]
    assert sent["at"] <= answered["acknowledged_at"] <= answered["answered_at"]
    assert (reply["handset"], reply["peer"], reply["text"]) == ("olena", "4040", "Зараховано 10 балів")
    assert (reply["encoding"], reply["segments"]) == ("UCS-2", 1)


async def test_without_a_gateway_a_text_waits_until_one_is_bound(
    simulator: Simulator, client: Client
) -> None:
    page, _ = await opened(client)
    await page.text("BALANCE", handset="grace")
    waiting = await page.tick("waiting")
    gateway = await answering(simulator, "10")
    answered = await page.tick("answered")
    gateway.cancel()
    assert waiting["id"] == answered["id"]


async def test_every_page_sees_it_and_a_reload_shows_it_again(simulator: Simulator, client: Client) -> None:
    first, _ = await opened(client)
    second, _ = await opened(client)
    gateway = await answering(simulator, "ok")
    await first.text("ALIAS", handset="aigerim")
    await second.tick("answered")
    await second.until(lambda m: m["type"] == "bubble" and m["bubble"]["direction"] == "received")
    gateway.cancel()
    await first.socket.close()
    _, hello = await opened(client)
    assert [(b["direction"], b["text"]) for b in hello["bubbles"]["aigerim"]] == [
        ("texted", "ALIAS"),
        ("received", "ok"),
    ]


@pytest.mark.parametrize("typed", [CODE, "1234567890123", "код: 1234 567.890 123!"])
async def test_a_texted_code_is_marked_for_who_texted_it_first(client: Client, typed: str) -> None:
    page, _ = await opened(client)
    await page.text(typed, handset="dmitry")
    marked = (await page.kind("demo"))["demo"]["codes"]
    await page.text(typed, handset="grace")
    await page.tick("waiting")
    _, hello = await opened(client)
    assert marked == hello["demo"]["codes"]
    assert [code["texted_by"] for code in marked] == ["Dmitry", ""]


async def test_a_changed_campaign_reaches_the_page(client: Client, tmp_path: Path) -> None:
    page, _ = await opened(client)
    (tmp_path / "demo.json").write_text(json.dumps(DEMO | {"campaign": "Winter"}), encoding="utf-8")
    demo = (await page.kind("demo"))["demo"]
    assert demo["campaign"] == "Winter"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("x" * 160, ("GSM-7", 1, 0), id="one full GSM-7 segment"),
        pytest.param("x" * 161, ("GSM-7", 2, 145), id="two GSM-7 segments"),
        pytest.param("ж" * 70, ("UCS-2", 1, 0), id="one full UCS-2 segment"),
        pytest.param("ж" * 71, ("UCS-2", 2, 63), id="two UCS-2 segments"),
        pytest.param("€" * 2, ("GSM-7", 1, 156), id="an escape pair costs two"),
    ],
)
async def test_what_is_typed_is_measured(client: Client, text: str, told: tuple[str, int, int]) -> None:
    page, _ = await opened(client)
    await page.socket.send_json({"type": "measure", "text": text})
    measured = await page.kind("measure")
    assert (measured["encoding"], measured["segments"], measured["left"]) == told


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param("nonsense", "did not understand", id="not JSON"),
        pytest.param("[1]", "did not understand", id="not an object"),
        pytest.param('{"type": "text", "text": "hi"}', "did not understand", id="fields missing"),
        pytest.param(
            '{"type":"text","handset":"x","to":"4040","text":"hi"}', "no such handset", id="no such handset"
        ),
        pytest.param(
            '{"type":"text","handset":"olena","to":"40 40","text":"hi"}', "short number", id="bad number"
        ),
        pytest.param(
            '{"type":"text","handset":"olena","to":"4040","text":"  "}', "1 to 1600", id="empty text"
        ),
        pytest.param(
            json.dumps({"type": "text", "handset": "olena", "to": "4040", "text": "x" * 1601}),
            "1 to 1600",
            id="endless text",
        ),
    ],
)
async def test_a_bad_wish_is_told_and_the_page_lives_on(client: Client, data: str, why: str) -> None:
    page, _ = await opened(client)
    await page.socket.send_str(data)
    assert why in (await page.kind("refused"))["why"]
    await page.socket.send_json({"type": "measure", "text": "hi"})
    assert (await page.kind("measure"))["left"] == 158


async def test_half_an_emoji_does_no_harm(client: Client) -> None:
    page, _ = await opened(client)
    await page.socket.send_str('{"type":"text","handset":"olena","to":"4040","text":"a\\ud83d"}')
    assert (await page.tick("waiting"))["text"] == "a\ufffd"


async def test_the_live_feed_is_relayed_and_recovers(client: Client, api: FakeApi) -> None:
    event = {"id": "1-0", "kind": "claimed", "at": 1.0, "fields": {"who": "•••67"}}
    page, hello = await opened(client)
    if not hello["feed_live"]:
        await page.until(lambda m: m["type"] == "feed_state" and m["feed_live"])
    await api.events.put(event)
    assert (await page.kind("feed"))["events"] == [event]
    await api.events.put(None)  # the API goes away
    assert not (await page.kind("feed_state"))["feed_live"]
    assert (await page.kind("feed_state"))["feed_live"]
    assert api.asked_since == ["", "1-0"]
    _, again = await opened(client)
    assert again["feed"] == [event]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_another_site_cannot_drive_it(client: Client, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/socket", headers=headers)
    assert refused.value.status == 403


async def test_a_name_made_to_point_here_is_refused(client: Client) -> None:
    response = await client.get("/", headers={"Host": "evil.example"})
    assert response.status == 403


async def test_the_page_is_strict_about_what_it_loads(client: Client) -> None:
    response = await client.get("/")
    policy = response.headers["Content-Security-Policy"]
    html = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "://" not in html  # nothing from elsewhere
    assert " on" not in "".join(part.split(">")[0] for part in html.split("<")[1:] if "=" in part)
    for path in (
        "phone.js",
        "wire.js",
        "talk.js",
        "call.js",
        "sound.js",
        "feed.js",
        "caps.js",
        "element.js",
        "phone.css",
        "cap.svg",
    ):
        assert (await client.get(f"/{path}")).status == 200, path
