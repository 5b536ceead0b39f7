"""A SIP proxy as the trunk: whether it has refused us, or the callee behind it, is told apart."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from ivr.ami.call_result import CallResult
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate, over_trunk
from tests.conftest import kamailio_program, sipp_program
from tests.integration.ivr.ami import managing, settings_of, up
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, free_port
from tests.peers.callee import answering
from tests.peers.fetch import AsteriskProgram
from tests.peers.kamailio import proxying, refuse, relay

pytestmark = pytest.mark.asyncio(loop_scope="module")
BY_ITSELF: Final = {
    403: ("Forbidden", CallResult.TRUNK),
    407: ("Proxy Authentication Required", CallResult.TRUNK),
    503: ("Service Unavailable", CallResult.CONGESTION),
}
CALLEES: Final = {
    "486": ("486 Busy Here", "180 Ringing", CallResult.BUSY),
    "603": ("603 Decline", "180 Ringing", CallResult.REJECTED),
    "603 at once": ("603 Decline", "", CallResult.REJECTED),
    "404": ("404 Not Found", "", CallResult.BAD_NUMBER),
    "answers": ("200 OK", "180 Ringing", CallResult.ANSWERED),
    "only rings": ("", "180 Ringing", CallResult.NO_ANSWER),
    "says nothing but 100": ("", "100 Trying", CallResult.SILENT),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[Asterisk]:
    """One whose trunk is to be a proxy."""
    dialplan = "[callee]\nexten => talk,1,Wait(0.2)\n same => n,Hangup(16)\n"
    place = AsteriskPlace(callee_port=free_port(socket.SOCK_DGRAM), extra_dialplan=dialplan)
    async with running(asterisk_program, place) as asterisk:
        yield asterisk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def manager(asterisk: Asterisk) -> AsyncIterator[Manager]:
    """Connected to it."""
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        yield manager


ORDER: Final = Originate(
    channel=over_trunk("380670000009", TRUNK), context="callee", exten="talk", ring_s=3.0, talk_s=5.0
)


@pytest.mark.parametrize("code", BY_ITSELF)
async def test_the_proxy_refuses_by_itself(asterisk: Asterisk, manager: Manager, code: int) -> None:
    reason, result = BY_ITSELF[code]
    async with proxying(kamailio_program(), asterisk.place.callee_port, refuse(code, reason)):
        end = await manager.originate(ORDER)
    assert (end.result, end.sip, end.rang) == (result, code, False)


@pytest.mark.parametrize(("status", "first", "result"), CALLEES.values(), ids=list(CALLEES))
async def test_the_callee_behind_it(
    asterisk: Asterisk, manager: Manager, status: str, first: str, result: CallResult
) -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with (
        proxying(kamailio_program(), asterisk.place.callee_port, relay(port)),
        answering(sipp_program(), port, status=status, first=first),
    ):
        end = await manager.originate(ORDER)
    assert end.result is result


async def test_nobody_behind_it(asterisk: Asterisk, manager: Manager) -> None:
    """It says 100 at once, and 408 once nothing was heard."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        behind = relay(silent.getsockname()[1])
        async with proxying(kamailio_program(), asterisk.place.callee_port, behind):
            end = await manager.originate(ORDER)
    assert (end.result, end.sip, end.rang) == (CallResult.SILENT, 408, False)
