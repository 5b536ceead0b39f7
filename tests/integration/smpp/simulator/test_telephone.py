"""The telephone's websocket on the page of the virtual phones, where there is no Asterisk, or not yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config import prompts
from config.demo_settings import DemoSettings
from config.ivr_settings import IvrSettings
from config.settings import Settings
from config.texts import LANGUAGES
from gateway.entry.demo import telephone
from ivr.softphone import booth as booths
from ivr.softphone.leg import AWAY
from tests.integration.smpp.simulator.answering import Answerer, answering
from tests.integration.smpp.simulator.watching import PATIENCE_S

Client = TestClient[web.Request, web.Application]
NOBODY = "no-such-program"


def make_prompts(folder: Path) -> None:
    """All files, with nothing in them."""
    for language in LANGUAGES:
        (folder / language).mkdir(parents=True)
        for name in (*prompts.load(language), prompts.PAUSE):
            (folder / language / f"{name}.wav").touch()


def settings_of(state: Path, *, sip_port: int) -> Settings:
    return Settings(
        state_dir=state,
        ivr=IvrSettings(sounds_dir=state / "sounds"),
        demo=DemoSettings(asterisk=NOBODY, sip_port=sip_port),
    )


@pytest.fixture
def sip_port(unused_udp_port: int) -> int:
    """Where a test's page calls: nobody is there."""
    return unused_udp_port


@pytest.fixture
async def client(tmp_path: Path, sip_port: int, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    monkeypatch.setattr(booths, "LOOK_S", 0.05)
    app = web.Application()
    booth = telephone.join(app, settings_of(tmp_path, sip_port=sip_port))
    async with TestClient(TestServer(app)) as client:
        yield client
        await booth.close()


async def opened(client: Client) -> aiohttp.ClientWebSocketResponse:
    return await client.ws_connect("/call", headers={"Origin": f"http://{client.host}:{client.port}"})


async def told(page: aiohttp.ClientWebSocketResponse) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        message: dict[str, Any] = await page.receive_json()
        return message


@pytest.mark.parametrize("sip_port", [0])
async def test_without_asterisk_the_page_says_how_to_get_it(client: Client) -> None:
    page = await opened(client)
    service = await told(page)
    await page.send_json({"type": "dial", "handset": "olena"})
    over = await told(page)
    assert service["readiness"] == "missing"
    assert "`make peers`" in service["why"]
    assert NOBODY in service["why"]
    assert over == {"type": "call", "stage": "over", "why": service["why"]}


async def test_calls_wait_for_the_prompts(client: Client, tmp_path: Path) -> None:
    page = await opened(client)
    before = await told(page)
    await page.send_json({"type": "dial", "handset": "olena"})
    refused = await told(page)
    make_prompts(tmp_path / "sounds")
    after = await told(page)
    assert before == {"type": "service", "readiness": "preparing", "number": "0 800 50 00 40", "why": ""}
    assert (refused["stage"], refused["why"]) == ("over", "The free number is not ready yet.")
    assert after == before | {"readiness": "ready"}


async def test_a_call_that_nobody_answers_is_told_and_the_next_may_be_tried(
    client: Client, tmp_path: Path
) -> None:
    make_prompts(tmp_path / "sounds")
    page = await opened(client)
    await told(page)
    for _ in range(2):
        await page.send_json({"type": "dial", "handset": "grace"})
        assert [await told(page) for _ in range(2)] == [
            {"type": "call", "stage": "dialling", "why": ""},
            {"type": "call", "stage": "over", "why": AWAY},
        ]


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        pytest.param("nonsense", "refused", id="not JSON"),
        pytest.param("[" * 1000, "refused", id="deep"),
        pytest.param("[1]", "refused", id="not an object"),
        pytest.param('{"type": "dial"}', "refused", id="no handset"),
        pytest.param('{"type": "dial", "handset": "x"}', "call", id="no such handset"),
    ],
)
async def test_a_bad_wish_is_told_and_the_page_lives_on(
    client: Client, tmp_path: Path, data: str, answer: str
) -> None:
    make_prompts(tmp_path / "sounds")
    page = await opened(client)
    await told(page)
    await page.send_str('{"type": "key", "key": "1"}')  # in no call
    await page.send_str('{"type": "hang_up"}')
    await page.send_str(data)
    first = await told(page)
    await page.send_json({"type": "dial", "handset": "grace"})
    assert (first["type"], (await told(page))["stage"]) == (answer, "dialling")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_another_site_cannot_call(client: Client, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await client.ws_connect("/call", headers=headers)
    assert refused.value.status == 403


@pytest.fixture
async def answerer() -> AsyncIterator[Answerer]:
    async with answering() as answerer:
        yield answerer


async def in_call(client: Client) -> aiohttp.ClientWebSocketResponse:
    """A page with a call that was answered."""
    page = await opened(client)
    await told(page)
    await page.send_json({"type": "dial", "handset": "grace"})
    assert [(await told(page))["stage"] for _ in range(2)] == ["dialling", "talking"]
    return page


class TestAnswered:
    """Calls that somebody answers."""

    @pytest.fixture
    def sip_port(self, answerer: Answerer, tmp_path: Path) -> int:
        make_prompts(tmp_path / "sounds")
        return answerer.port

    async def test_a_page_that_closes_hangs_up(self, client: Client, answerer: Answerer) -> None:
        page = await in_call(client)
        await page.close()
        await answerer.until("BYE")
        assert answerer.requests == ["INVITE", "ACK", "BYE"]

    async def test_sound_comes_as_it_is_and_only_from_the_call(
        self, client: Client, answerer: Answerer
    ) -> None:
        page = await in_call(client)
        async with answering() as stranger:
            stranger.sound_ports = answerer.sound_ports
            stranger.play(b"not for you")
        answerer.play(b"for you")
        async with asyncio.timeout(PATIENCE_S):
            assert await page.receive_bytes() == b"for you"

    async def test_a_page_has_one_call_and_all_pages_so_many(
        self, client: Client, answerer: Answerer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(booths, "MOST_CALLS", 2)
        first, second, third = await in_call(client), await in_call(client), await opened(client)
        await first.send_json({"type": "dial", "handset": "olena"})
        again = await told(first)
        await told(third)
        await third.send_json({"type": "dial", "handset": "olena"})
        busy = await told(third)
        await second.send_json({"type": "hang_up"})
        assert [(await told(second))["stage"] for _ in range(2)] == ["leaving", "over"]
        await third.send_json({"type": "dial", "handset": "olena"})
        assert again == {"type": "refused", "why": "This page is in a call already."}
        assert busy == {"type": "call", "stage": "over", "why": "All lines are busy."}
        assert (await told(third))["stage"] == "dialling"
        assert answerer.requests.count("BYE") == 1
