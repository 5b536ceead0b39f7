"""A real Asterisk calls the virtual phones: they ring on the page, and are answered or declined there."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from config.demo_settings import DemoSettings
from config.ivr_settings import IvrSettings
from config.settings import Settings
from gateway.entry.demo import telephone
from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate, over_trunk
from tests.conftest import any_asterisk
from tests.integration.ivr.ami import managing, settings_of, up
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, free_port
from tests.peers.hearing import write_prompt

pytestmark = pytest.mark.asyncio(loop_scope="module")
Client = TestClient[web.Request, web.Application]
Page = aiohttp.ClientWebSocketResponse
OLENA: Final = "380500000001"
WAIT_S: Final = 10.0
# It says something, and waits for a key.
DIALPLAN: Final = """[callee]
exten => talk,1,Read(KEY,{sound},1,,1,5)
 same => n,NoOp(keyed ${{KEY}})
 same => n,Hangup(16)
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asterisk]:
    """One whose trunk leads to the handsets."""
    sound = tmp_path_factory.mktemp("said") / "said.wav"
    write_prompt(sound, (500, 900, 700, 1100))
    dialplan = DIALPLAN.format(sound=sound.with_suffix(""))
    place = AsteriskPlace(callee_port=free_port(socket.SOCK_DGRAM), extra_dialplan=dialplan)
    async with running(any_asterisk(), place) as asterisk:
        yield asterisk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def manager(asterisk: Asterisk) -> AsyncIterator[Manager]:
    """Connected to it."""
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        yield manager


@pytest_asyncio.fixture(loop_scope="module")
async def client(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[Client]:
    """The page of the virtual phones."""
    settings = Settings(
        state_dir=tmp_path,
        ivr=IvrSettings(sounds_dir=tmp_path / "sounds"),
        demo=DemoSettings(sip_port=asterisk.sip_port, handset_port=asterisk.place.callee_port),
    )
    app = web.Application()
    booth = telephone.join(app, settings)
    async with TestClient(TestServer(app)) as client, telephone.ringing(booth, settings):
        yield client


async def opened(client: Client) -> Page:
    return await client.ws_connect("/call", headers={"Origin": f"http://{client.host}:{client.port}"})


async def until(page: Page, **wanted: str) -> dict[str, Any]:
    """The page's next message with these fields."""
    async with asyncio.timeout(WAIT_S):
        while True:
            message = await page.receive()
            if message.type is aiohttp.WSMsgType.TEXT and wanted.items() <= (told := message.json()).items():
                found: dict[str, Any] = told
                return found


def called(manager: Manager, number: str = OLENA, ring_s: float = 8.0) -> asyncio.Task[CallEnd]:
    order = Originate(
        channel=over_trunk(number, TRUNK), context="callee", exten="talk", ring_s=ring_s, talk_s=20.0
    )
    return asyncio.ensure_future(manager.originate(order))


async def test_one_page_answers_hears_and_keys_and_the_other_rings_no_more(
    client: Client, manager: Manager, asterisk: Asterisk
) -> None:
    one, other = await opened(client), await opened(client)
    call = called(manager)
    for page in (one, other):
        await until(page, type="ring", handset="olena")
    await one.send_json({"type": "answer", "handset": "olena"})
    await until(other, type="ring_over", handset="olena")
    await other.send_json({"type": "answer", "handset": "olena"})  # too late
    await until(one, type="call", stage="talking")
    async with asyncio.timeout(WAIT_S):
        while (await one.receive()).type is not aiohttp.WSMsgType.BINARY:
            pass
    await one.send_json({"type": "key", "key": "9"})
    await until(one, type="call", stage="over")
    end = await call
    assert (end.result, end.sip) == (CallResult.ANSWERED, 200)
    assert "keyed 9" in asterisk.log
    await one.send_json({"type": "dial", "handset": "olena"})  # it is free again
    assert (await until(one, type="call"))["stage"] == "over"


async def test_a_call_is_declined(client: Client, manager: Manager) -> None:
    page = await opened(client)
    call = called(manager)
    await until(page, type="ring")
    await page.send_json({"type": "decline", "handset": "olena"})
    await until(page, type="ring_over")
    end = await call
    assert (end.result, end.sip, end.rang) == (CallResult.REJECTED, 603, True)


async def test_who_hangs_up_is_heard(client: Client, manager: Manager) -> None:
    page = await opened(client)
    call = called(manager)
    await until(page, type="ring")
    await page.send_json({"type": "answer", "handset": "olena"})
    await until(page, stage="talking")
    await page.close()
    assert (await call).result is CallResult.ANSWERED


async def test_a_call_that_is_given_up_rings_no_more(client: Client, manager: Manager) -> None:
    page = await opened(client)
    call = called(manager, ring_s=1.0)
    await until(page, type="ring")
    late = await opened(client)
    await until(late, type="ring")  # a page that opens meanwhile rings, too
    for each in (page, late):
        await until(each, type="ring_over")
    assert (await call).result is CallResult.NO_ANSWER


@pytest.mark.parametrize(
    ("number", "page_open", "result"),
    [
        ("380500000009", True, CallResult.BAD_NUMBER),
        (OLENA, False, CallResult.NO_ANSWER),  # as a telephone that is switched off
    ],
    ids=["no handset's", "no page"],
)
async def test_what_cannot_ring(
    client: Client, manager: Manager, number: str, page_open: bool, result: CallResult
) -> None:
    page = await opened(client) if page_open else None
    end = await called(manager, number)
    assert end.result is result
    if page is not None:
        await page.close()


async def test_a_handset_in_a_call_is_busy(client: Client, manager: Manager) -> None:
    page = await opened(client)
    first = called(manager)
    await until(page, type="ring")
    assert (await called(manager)).result is CallResult.BUSY
    await page.send_json({"type": "answer", "handset": "olena"})
    await until(page, stage="talking")
    assert (await called(manager, "12025550143")).result is CallResult.BUSY  # the one page is taken
    await page.send_json({"type": "hang_up"})
    assert (await first).result is CallResult.ANSWERED
