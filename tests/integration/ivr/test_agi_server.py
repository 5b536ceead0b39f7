"""Whoever connects: garbage, half lines, silence and crowds end their own call, and are counted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from tests.integration.ivr.agi_peer import AgiPeer, on_call

LIMITS = AgiLimits(most_calls=3, call_s=5.0, first_line_s=0.2, environment_s=0.2, answer_s=0.2, playing_s=0.3)
HEAD = b"agi_network: yes\nagi_network_script: free\n\n"
WITHIN_S = 5.0


class Rooms:
    """A server with one script, and what it has noticed."""

    def __init__(self, script: Callable[[Channel], object], limits: AgiLimits) -> None:
        self.faults: list[Fault] = []
        self.served = 0
        self.port = 0
        self.begun: asyncio.Queue[Channel] = asyncio.Queue()
        self._script = script
        self.server = AgiServer({"/free": self._play}, limits, self.faults.append)

    async def _play(self, channel: Channel) -> None:
        self.begun.put_nowait(channel)
        done = self._script(channel)
        if asyncio.iscoroutine(done):
            await done
        self.served += 1

    async def well(self) -> bool:
        """A decent call is still served."""
        before = self.served
        await asyncio.wait_for(AgiPeer().call(self.port), WITHIN_S)
        return self.served == before + 1


@asynccontextmanager
async def serving(
    script: Callable[[Channel], object] = lambda channel: channel.answer(), limits: AgiLimits = LIMITS
) -> AsyncIterator[Rooms]:
    rooms = Rooms(script, limits)
    rooms.port = await rooms.server.start("127.0.0.1", 0)
    try:
        yield rooms
    finally:
        await rooms.server.stop(0)


async def closes(port: int, *said: bytes, ends: bool = False) -> bytes:
    """Say this and wait until the server closes; what it said."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    heard = b""
    try:
        for part in said:
            writer.write(part)
            await writer.drain()
        if ends:
            writer.write_eof()
        heard = await asyncio.wait_for(reader.read(), WITHIN_S)
    except ConnectionError:
        pass
    finally:
        writer.close()
    return heard


@pytest.mark.parametrize(
    ("said", "ends", "fault"),
    [
        pytest.param((), False, Fault.SILENT, id="silence"),
        pytest.param((b"agi_network: yes\n",), False, Fault.SILENT, id="environment without an end"),
        pytest.param((b"agi_network: y",), False, Fault.SILENT, id="half a line"),
        pytest.param((), True, Fault.HALF, id="closed at once"),
        pytest.param((b"agi_network: yes\nagi_",), True, Fault.HALF, id="closed in a line"),
        pytest.param((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\n"), False, Fault.GARBAGE, id="a browser"),
        pytest.param((b"\x16\x03\x01\x02\x00\n\n",), False, Fault.GARBAGE, id="TLS"),
        pytest.param((b"\xff\xfe\xfd: \xff\n\n",), False, Fault.GARBAGE, id="octets"),
        pytest.param((b"x" * 100_000,), False, Fault.TOO_LONG, id="a line without an end"),
        pytest.param(
            tuple(b"agi_a%d: x\n" % n for n in range(100)), False, Fault.TOO_LONG, id="too many lines"
        ),
        pytest.param(
            tuple(b"agi_a%d: %s\n" % (n, b"x" * 3000) for n in range(10)),
            False,
            Fault.TOO_LONG,
            id="too much",
        ),
        pytest.param((b"agi_network_script: nothing\n\n",), False, Fault.NO_ROUTE, id="no such script"),
        pytest.param((b"\n",), False, Fault.NO_ROUTE, id="nothing told"),
        pytest.param((HEAD, b"200 what\n"), False, Fault.GARBAGE, id="an answer that is none"),
        pytest.param((HEAD, b"510 Invalid or unknown command\n"), False, Fault.REFUSED, id="refused"),
        pytest.param(
            (HEAD, b"520-Invalid command syntax.\nUsage: ANSWER\n520 End of proper usage.\n"),
            False,
            Fault.REFUSED,
            id="a usage text",
        ),
        pytest.param((HEAD, b"520-x\n", b"x\n" * 100), False, Fault.TOO_LONG, id="usage without an end"),
        pytest.param((HEAD,), False, Fault.SILENT, id="no answer"),
        pytest.param((HEAD, b"200 resu"), False, Fault.SILENT, id="half an answer"),
        pytest.param((HEAD, b"100 Trying\n" * 3), False, Fault.SILENT, id="only interim answers"),
    ],
)
async def test_a_peer_that_misbehaves_is_given_up_and_others_are_served(
    said: tuple[bytes, ...], ends: bool, fault: Fault
) -> None:
    async with serving() as rooms:
        await closes(rooms.port, *said, ends=ends)
        assert rooms.faults == [fault]
        assert await rooms.well()
        assert rooms.server.calls == 0


@pytest.mark.parametrize("answer", [b"HANGUP\n", b"511 Command Not Permitted on a dead channel\n"])
async def test_a_hang_up_is_no_fault(answer: bytes) -> None:
    async with serving() as rooms:
        assert await closes(rooms.port, HEAD, answer) == b"ANSWER\n"
        assert rooms.faults == []


async def test_an_interim_answer_is_followed_by_the_true_one() -> None:
    async with serving() as rooms:
        await closes(rooms.port, HEAD, b"100 result=0 Trying...\n200 result=0\n")
        assert (rooms.served, rooms.faults) == (1, [])


async def test_a_crowd_is_turned_away_at_once_and_those_inside_go_on() -> None:
    go_on = asyncio.Event()
    async with serving(lambda _: go_on.wait()) as rooms:
        inside = [asyncio.ensure_future(closes(rooms.port, HEAD)) for _ in range(LIMITS.most_calls)]
        for _ in inside:
            await rooms.begun.get()
        assert [await closes(rooms.port, HEAD) for _ in range(20)] == [b""] * 20
        assert rooms.faults == [Fault.CROWDED] * 20
        go_on.set()
        await asyncio.gather(*inside)
        assert rooms.served == LIMITS.most_calls
        assert await rooms.well()


async def test_no_call_is_endless() -> None:
    limits = AgiLimits(most_calls=3, call_s=0.2)
    async with serving(lambda _: asyncio.sleep(60), limits) as rooms:
        await closes(rooms.port, HEAD)
        assert rooms.faults == [Fault.ENDLESS]


async def test_an_error_of_ours_costs_one_call() -> None:
    calls: list[Channel] = []

    def broken_once(channel: Channel) -> None:
        calls.append(channel)
        if len(calls) == 1:
            raise LookupError("a bug")

    async with serving(broken_once) as rooms:
        await closes(rooms.port, HEAD)
        assert rooms.faults == [Fault.OURS]
        assert await rooms.well()


async def test_stopping_waits_for_calls_and_then_ends_them() -> None:
    forever = asyncio.Event()
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))
    async with serving(lambda _: forever.wait()) as rooms:
        peer = AgiPeer()
        async with on_call(peer, rooms.port):
            await rooms.begun.get()
            await rooms.server.stop(0.05)
            await asyncio.wait_for(peer.closed.wait(), WITHIN_S)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", rooms.port)
    assert troubles == []  # no traceback in the log of a process that ends in order


async def test_keys_are_read_over_a_list_and_cleared() -> None:
    got: list[str] = []

    async def script(channel: Channel) -> None:
        got.append(await channel.read_keys(["/s/uk/menu", "/s/uk/help"], 32, 1.5))

    async with serving(script) as rooms:
        peer = AgiPeer(keys=["4711"])
        await peer.call(rooms.port)
    assert got == ["4711"]
    assert peer.commands[0] == 'EXEC Read "UNDERCAP_KEYS,/s/uk/menu&/s/uk/help,32,,1,1.5"'
    assert peer.variables["UNDERCAP_KEYS"] == ""


async def test_a_list_too_long_for_one_command_is_read_in_pieces_until_a_key() -> None:
    files = [f"/{'s' * 100}/uk/n{n}" for n in range(60)]
    got: list[str] = []

    async def script(channel: Channel) -> None:
        got.append(await channel.read_keys(files, 1, 5.0))
        got.append(await channel.read_keys(files, 1, 5.0))

    async with serving(script) as rooms:
        peer = AgiPeer(keys=["", "", "", "", "", "7"])
        await peer.call(rooms.port)
    assert got == ["", "7"]
    assert [name.removeprefix("uk/n") for name in peer.heard[:60]] == [str(n) for n in range(60)]
    assert len(peer.heard) < 120


async def test_a_missing_file_is_told_as_such() -> None:
    async def script(channel: Channel) -> None:
        with pytest.raises(AgiError) as caught:
            await channel.play(["/s/uk/menu", "/s/uk/gone"])
        assert caught.value.fault is Fault.NO_SOUND
        await channel.set("UNDERCAP_DONE", "1")

    async with serving(script) as rooms:
        peer = AgiPeer(missing="uk/gone")
        await peer.call(rooms.port)
        assert (rooms.faults, rooms.served) == ([], 1)
    assert peer.variables["UNDERCAP_DONE"] == "1"
