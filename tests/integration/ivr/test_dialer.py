"""The dialer on a real Asterisk with SIPp callees: what becomes of each person whom a blast calls."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio
from redis import Redis

from config import policies
from tests.conftest import sipp_program
from tests.integration.campaigns.market import Market
from tests.integration.core.conftest import shared_server
from tests.integration.core.house import House, Server
from tests.integration.ivr.offer_scene import Scene, brisk_packs
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace, free_port
from tests.peers.callee import answering
from tests.peers.fetch import AsteriskProgram

__all__ = ["shared_server"]
pytestmark = pytest.mark.asyncio(loop_scope="module")

CASES: Final = {
    "answers": ("200 OK", ("ended", "heard", 1, 1)),
    "486": ("486 Busy Here", ("waiting", "busy", 1, 1)),
    "603": ("603 Decline", ("ended", "rejected", 1, 1)),
    "480": ("480 Temporarily Unavailable", ("waiting", "no_answer", 1, 1)),
    "503": ("503 Service Unavailable", ("waiting", "congestion", 0, 1)),
    "404": ("404 Not Found", ("ended", "bad_number", 1, 1)),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[Asterisk]:
    """One whose offer calls come to us, with a trunk to a callee."""
    place = AsteriskPlace(agi_port=free_port(socket.SOCK_STREAM), callee_port=free_port(socket.SOCK_DGRAM))
    async with running(asterisk_program, place) as asterisk:
        yield asterisk


@pytest_asyncio.fixture(loop_scope="module")
async def scene(
    shared_server: Server, asterisk: Asterisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Scene]:
    """A firm, its campaign and nobody yet."""
    packs = brisk_packs()
    monkeypatch.setattr(policies, "load", lambda: packs)
    with Redis.from_url(shared_server.url) as client:
        client.flushall()
        client.script_flush()
    house = House(server_url=shared_server.url, state=tmp_path)
    yield Scene(Market(house), asterisk, tmp_path)
    await house.close()


@pytest.mark.parametrize(("status", "becomes"), CASES.values(), ids=list(CASES))
async def test_what_the_callee_answers(scene: Scene, status: str, becomes: tuple[object, ...]) -> None:
    blast = scene.blast(scene.market.shoppers(1))
    async with answering(sipp_program(), scene.asterisk.place.callee_port, status=status), scene.dialing():
        await scene.until(lambda: scene.calls(blast)[0][1] is not None)
    assert scene.calls(blast) == [becomes]
    assert scene.outcomes() == [becomes[1]]
    assert scene.live() == 0
