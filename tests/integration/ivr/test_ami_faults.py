"""The manager interface in trouble, on each Asterisk: restarts, a freeze, a refused login, a loss; TLS."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from ivr.ami.call_result import CallEnd, CallResult
from ivr.ami.faults import Lost, Unsendable
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate, over_trunk, to_ourselves
from tests.certificates import Authority
from tests.conftest import any_asterisk, sipp_program
from tests.integration.ivr.ami import WAIT_S, channels, managing, settings_of, until, up
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, Edit, free_port
from tests.peers.callee import answering
from tests.peers.fetch import AsteriskProgram

pytestmark = pytest.mark.asyncio(loop_scope="module")

TALK: Final = "[talk]\nexten => s,1,Answer\n same => n,Wait(20)\n"
OVER_TRUNK: Final = Originate(channel=over_trunk("380670000009", TRUNK), context="talk", ring_s=20)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk(asterisk_program: AsteriskProgram) -> AsyncIterator[Asterisk]:
    """One that has a callee of its own, who answers and waits."""
    place = AsteriskPlace(callee_port=free_port(socket.SOCK_DGRAM), extra_dialplan=TALK)
    async with running(asterisk_program, place) as asterisk:
        yield asterisk


def order(context: str, exten: str) -> Originate:
    return Originate(channel=to_ourselves(context, exten), context="undercap-check", exten="wait", ring_s=20)


async def begun(manager: Manager, asterisk: Asterisk, one: Originate) -> asyncio.Task[CallEnd]:
    """A call that Asterisk has on its way."""
    before = await asterisk.channels()
    task = asyncio.create_task(manager.originate(one))
    await channels(asterisk, lambda count: count >= before + 2)
    return task


@pytest.mark.parametrize("how", ["core stop now", "core restart now", "kill"])
async def test_a_restart_while_it_rings(asterisk: Asterisk, how: str) -> None:
    callee = answering(sipp_program(), asterisk.place.callee_port, status="180 Ringing")
    async with callee, managing(settings_of(asterisk)) as manager:
        await up(manager)
        before = asterisk.log.count("is ringing")
        ringing = asyncio.create_task(manager.originate(OVER_TRUNK))
        await until(lambda: asterisk.log.count("is ringing") > before)
        await (asterisk.kill() if how == "kill" else asterisk.cli(how))
        end = await asyncio.wait_for(ringing, WAIT_S)
        await asterisk.kill()
        await until(lambda: not manager.up.is_set())
        with pytest.raises(Lost):
            await manager.originate(order("talk", "s"))
        await asterisk.start()
        await up(manager)
        again = await manager.originate(order("talk", "nobody"))
    assert end.result is CallResult.UNKNOWN
    assert again.result is CallResult.SILENT


async def test_a_freeze_is_noticed_and_ends_every_wait(asterisk: Asterisk) -> None:
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        ringing = await begun(manager, asterisk, order("undercap-check", "wait"))
        with asterisk.frozen():
            with pytest.raises(Lost):
                await asyncio.wait_for(manager.originate(order("talk", "s")), WAIT_S)
            assert await asyncio.wait_for(ringing, WAIT_S) == CallEnd(result=CallResult.UNKNOWN, cause=None)
            await until(lambda: manager.fault.startswith("cannot connect"))
        await up(manager)
        assert (await manager.originate(order("talk", "nobody"))).result is CallResult.SILENT


async def test_calls_go_on_without_the_manager_interface(asterisk: Asterisk) -> None:
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        before = await asterisk.channels()
        talking = await begun(manager, asterisk, order("talk", "s"))
        client = manager._client
        assert client is not None
        assert client._writer is not None
        await until(lambda: [course.answered for course in manager._calls._courses.values()] == [True])
        client._writer.transport.abort()
        # That it was answered is known; its end is not told any more.
        assert await asyncio.wait_for(talking, WAIT_S) == CallEnd(result=CallResult.ANSWERED, cause=None)
        assert await asterisk.channels() >= before + 2
        await until(lambda: manager._client is not client)
        await up(manager)
        await asterisk.cli("channel request hangup all")


async def test_a_refused_login_is_told_and_not_tried_again_at_once(asterisk: Asterisk) -> None:
    async with managing(
        settings_of(asterisk, secret="not the secret", reconnect_max_s=60, answer_timeout_s=5)
    ) as manager:
        await until(lambda: bool(manager._client and manager._client.over.is_set()))
        await until(lambda: manager.fault.startswith("login refused"))
        assert "Authentication failed" in manager.fault
        with pytest.raises(Lost, match="login refused"):
            await manager.originate(order("talk", "s"))
        assert asterisk.log.count("failed to authenticate as 'undercap'") == 1


@pytest.mark.parametrize(
    "variables",
    [
        {"A": "x\r\n\r\nAction: Originate\r\nChannel: Local/s@talk\r\nApplication: Wait\r\nData: 9"},
        {"A": "x\r\nExten: s"},
        {"A": "x,UNDERCAP_AGI=192.0.2.1:1"},
        {"A": "x\x85Exten: s"},
        {"A": "x\u2028Exten: s"},
        {"A": "x" * 2000},
        {"SHELL(true)": "x"},
    ],
    ids=["an action", "a header", "a variable", "a next line", "a line separator", "over-long", "a function"],
)
async def test_nothing_of_a_call_with_a_bad_value_is_sent(
    asterisk: Asterisk, variables: dict[str, str]
) -> None:
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)
        before = asterisk.log.count("Called ")
        bad = Originate(
            channel=to_ourselves("talk", "s"), context="undercap-check", exten="wait", variables=variables
        )
        with pytest.raises(Unsendable):
            await manager.originate(bad)
        client = manager._client
        assert client is not None
        await client.ask("Ping", {})
        assert len(manager._calls) == 0
        assert asterisk.log.count("Called ") == before
        assert await asterisk.channels() == 0


async def test_over_tls(tmp_path: Path) -> None:
    ours, stranger = Authority(tmp_path / "ours"), Authority(tmp_path / "stranger")
    identity = ours.identity("127.0.0.1")
    port = free_port(socket.SOCK_STREAM)
    notes = {
        ";tlsenable = yes": "tlsenable = yes",
        ";tlsbindaddr = 192.0.2.10:5039": f"tlsbindaddr = 127.0.0.1:{port}",
        ";tlscertfile = /etc/asterisk/keys/asterisk.pem": f"tlscertfile = {identity.certificate}",
        ";tlsprivatekey = /etc/asterisk/keys/asterisk.key": f"tlsprivatekey = {identity.key}",
    }
    edits = tuple(Edit(file="manager-general.conf", old=old, new=new) for old, new in notes.items())
    async with running(any_asterisk(), AsteriskPlace(edits=edits)) as asterisk:
        secure = settings_of(asterisk, port=port, tls=True, tls_ca_file=ours.file)
        async with managing(secure) as manager:
            await up(manager)
            assert (await manager.originate(order("talk", "s"))).result is CallResult.SILENT
        async with managing(secure.model_copy(update={"tls_ca_file": stranger.file})) as manager:
            await until(lambda: "Asterisk's certificate is not trusted" in manager.fault)
