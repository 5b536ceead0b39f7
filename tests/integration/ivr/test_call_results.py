"""What becomes of a call that Asterisk makes for us, by what SIPp as the callee answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Final

import pytest
import pytest_asyncio

from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.faults import Refused
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate, over_trunk, to_ourselves
from tests.conftest import sipp_program
from tests.integration.ivr.ami import managing, settings_of, up
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, Edit, free_port
from tests.peers.callee import answering
from tests.peers.fetch import AsteriskProgram

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER: Final = "380670000009"
DIALPLAN: Final = "[callee]\nexten => talk,1,Wait(0.2)\n same => n,Hangup(16)\n"
CASES: Final = {
    "answers": ("200 OK", CallResult.ANSWERED),
    "486": ("486 Busy Here", CallResult.BUSY),
    "603": ("603 Decline", CallResult.REJECTED),
    "480": ("480 Temporarily Unavailable", CallResult.NO_ANSWER),
    "408": ("408 Request Timeout", CallResult.NO_ANSWER),
    "503": ("503 Service Unavailable", CallResult.CONGESTION),
    "500": ("500 Server Internal Error", CallResult.CONGESTION),
    "404": ("404 Not Found", CallResult.BAD_NUMBER),
    "only rings": ("180 Ringing", CallResult.NO_ANSWER),
    "600": ("600 Busy Everywhere", CallResult.BUSY),
    "410": ("410 Gone", CallResult.BAD_NUMBER),
    "302": ("302 Moved Temporarily", CallResult.FAILED),
}
AT_ONCE: Final = {
    "401": ("401 Unauthorized", CallResult.TRUNK),
    "402": ("402 Payment Required", CallResult.TRUNK),
    "403": ("403 Forbidden", CallResult.TRUNK),
    "407": ("407 Proxy Authentication Required", CallResult.TRUNK),
    "488": ("488 Not Acceptable Here", CallResult.TRUNK),
    "429": ("429 Provide Referrer Identity", CallResult.CONGESTION),
    "500": ("500 Server Internal Error", CallResult.CONGESTION),
    "503": ("503 Service Unavailable", CallResult.CONGESTION),
    "504": ("504 Server Time-out", CallResult.CONGESTION),
    "408": ("408 Request Timeout", CallResult.SILENT),
    "480": ("480 Temporarily Unavailable", CallResult.NO_ANSWER),
    "486": ("486 Busy Here", CallResult.BUSY),
    "603": ("603 Decline", CallResult.REJECTED),
    "404": ("404 Not Found", CallResult.BAD_NUMBER),
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[Asterisk]:
    """One with a trunk to a callee."""
    place = AsteriskPlace(callee_port=free_port(socket.SOCK_DGRAM), extra_dialplan=DIALPLAN)
    async with running(asterisk_program, place) as asterisk:
        yield asterisk


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def manager(asterisk: Asterisk) -> AsyncIterator[Manager]:
    """Connected to it."""
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        yield manager


def order(channel: str) -> Originate:
    return Originate(channel=channel, context="callee", exten="talk", ring_s=1.0, talk_s=5.0)


@pytest.mark.parametrize(("status", "result"), CASES.values(), ids=list(CASES))
async def test_what_the_callee_answers(
    asterisk: Asterisk, manager: Manager, status: str, result: CallResult
) -> None:
    async with answering(sipp_program(), asterisk.place.callee_port, status=status):
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    assert end.result is result


@pytest.mark.parametrize("status", ["300 Multiple Choices", "301 Moved Permanently", "302 Moved Temporarily"])
async def test_where_else_the_callee_is_nobody_is_called(
    asterisk: Asterisk, manager: Manager, status: str
) -> None:
    """Many at once: some end before Asterisk has noted the status. A free number is where all digits lead."""
    patient = replace(order(over_trunk(NUMBER, TRUNK)), ring_s=10.0)
    async with answering(sipp_program(), asterisk.place.callee_port, status=status, contact="0800500040"):
        ends = await asyncio.gather(*(manager.originate(patient) for _ in range(40)))
    assert [end.result for end in ends] == [CallResult.FAILED] * 40
    assert "undercap-talk" not in asterisk.log


@pytest.mark.parametrize(("status", "result"), AT_ONCE.values(), ids=list(AT_ONCE))
async def test_who_refuses_before_anything_rings(
    asterisk: Asterisk, manager: Manager, status: str, result: CallResult
) -> None:
    async with answering(sipp_program(), asterisk.place.callee_port, status=status, first=""):
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    assert (end.result, end.sip, end.rang) == (result, int(status[:3]), False)


@pytest.mark.parametrize(
    ("first", "result", "sip"),
    [
        ("100 Trying", CallResult.SILENT, 100),
        ("180 Ringing", CallResult.NO_ANSWER, 180),
        ("183 Session Progress", CallResult.NO_ANSWER, 183),
    ],
)
async def test_a_trunk_that_says_no_more(
    asterisk: Asterisk, manager: Manager, first: str, result: CallResult, sip: int
) -> None:
    async with answering(sipp_program(), asterisk.place.callee_port, status="", first=first):
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    assert (end.result, end.sip) == (result, sip)


async def test_a_trunk_that_says_nothing(asterisk: Asterisk, manager: Manager) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", asterisk.place.callee_port))
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    assert (end.result, end.sip, end.rang) == (CallResult.SILENT, 0, False)


async def test_a_cause_that_the_operator_names(asterisk: Asterisk, manager: Manager) -> None:
    reason = ("Reason: Q.850;cause=20",)
    status = "480 Temporarily Unavailable"
    async with answering(sipp_program(), asterisk.place.callee_port, status=status, headers=reason):
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    # 22 gives the cause of the status.
    assert end.result in (CallResult.UNREACHABLE, CallResult.NO_ANSWER)


async def test_a_dialplan_without_our_handler(asterisk_program: AsteriskProgram) -> None:
    """As it was before: a later Asterisk tells by itself, an older one does not."""
    port = free_port(socket.SOCK_DGRAM)
    edits = (Edit(file="extensions.conf", old="[undercap-gone]", new="[undercap-other]"),)
    place = AsteriskPlace(callee_port=port, edits=edits, extra_dialplan=DIALPLAN)
    async with (
        running(asterisk_program, place) as asterisk,
        managing(settings_of(asterisk)) as manager,
        answering(sipp_program(), port, status="403 Forbidden", first=""),
    ):
        await up(manager)
        end = await manager.originate(order(over_trunk(NUMBER, TRUNK)))
    tells = not asterisk_program.version.startswith("16.")
    assert (end.result, end.sip) == ((CallResult.TRUNK, 403) if tells else (CallResult.REJECTED, None))


async def test_a_trunk_that_is_none(manager: Manager) -> None:
    end = await manager.originate(order(over_trunk(NUMBER, "other")))
    assert end == CallEnd(result=CallResult.FAILED, cause=None)


async def test_many_at_once_are_not_mixed_up(asterisk: Asterisk, manager: Manager) -> None:
    async with answering(sipp_program(), asterisk.place.callee_port, status="603 Decline"):
        channels = [over_trunk(NUMBER, TRUNK), to_ourselves("undercap-check", "wait")] * 20
        ends = await asyncio.gather(*(manager.originate(order(channel)) for channel in channels))
    assert [end.result for end in ends[::2]] == [CallResult.REJECTED] * 20
    # The other end of a local channel waits without an answer, and knows no SIP.
    assert [(end.result, end.sip) for end in ends[1::2]] == [(CallResult.SILENT, 0)] * 20


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("Command", {"Command": "core stop now"}),
        ("Originate", {"Channel": "Local/s@undercap-check", "Application": "System", "Data": "true"}),
        ("GetConfig", {"Filename": "manager.conf"}),
        ("CoreShowChannels", {}),
        ("DBGet", {"Family": "x", "Key": "y"}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_our_user_may_no_more_than_call(manager: Manager, action: str, fields: dict[str, str]) -> None:
    client = manager._client
    assert client is not None
    with pytest.raises(Refused, match=r"Permission denied|Originate Access Forbidden"):
        await client.ask(action, fields)
