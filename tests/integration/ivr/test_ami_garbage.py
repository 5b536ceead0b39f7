"""Our side of the manager interface against what no Asterisk says, and against silence."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Mapping
from typing import Any

import pytest
from asterisk.ami.action import Action

from config.ivr_settings import AmiSettings
from ivr.ami.client import AmiClient
from ivr.ami.faults import Lost, Refused, Unreachable
from tests.integration.ivr.ami import QUICK, managing, until, up
from tests.integration.ivr.raw_ami import GREETING, Fields, RawAmi, pretending, success


def settings(where: RawAmi | int, **changes: Any) -> AmiSettings:
    port = where if isinstance(where, int) else where.port
    return AmiSettings(**{"port": port, "secret": "s", **QUICK, **changes})


def refuse(fields: Fields) -> bytes:
    return success(fields).replace(b"Success", b"Error").replace(b"done", b"Authentication failed")


def ignore(event: str, headers: Mapping[str, str]) -> None:
    """No listener."""


GREETINGS = {
    "another protocol": (b"220 mail.test ESMTP\r\n", "something else"),
    "nothing": (b"", "no answer"),
    "a line without an end": (b"A" * 200_000, "without an end"),
}


@pytest.mark.parametrize(("greeting", "fault"), GREETINGS.values(), ids=list(GREETINGS))
async def test_who_is_no_asterisk(greeting: bytes, fault: str) -> None:
    async with pretending(greeting=greeting) as raw:
        client = AmiClient(settings(raw, connect_timeout_s=0.2), ignore)
        with pytest.raises(Unreachable, match=fault):
            await client.open()
        assert client.over.is_set()


async def test_who_never_answers_the_login() -> None:
    async with pretending(answer=lambda _: b"") as raw:
        with pytest.raises(Unreachable, match="does not answer"):
            await AmiClient(settings(raw, answer_timeout_s=0.1), ignore).open()


async def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    client = AmiClient(settings(port), ignore)
    with pytest.raises(Unreachable):
        await client.open()


async def test_a_refused_login_is_tried_again_after_the_longest_wait_only() -> None:
    async with pretending(answer=refuse) as raw, managing(settings(raw, reconnect_max_s=0.3)) as manager:
        await until(lambda: len(raw.times_of("Login")) == 3)
        assert manager.fault == "login refused: Authentication failed"
    times = raw.times_of("Login")
    assert all(later - earlier >= 0.3 for earlier, later in itertools.pairwise(times))


async def test_silence_is_asked_and_an_answer_keeps_the_connection() -> None:
    async with pretending() as raw, managing(settings(raw, ping_s=0.02)) as manager:
        await until(lambda: len(raw.times_of("Ping")) >= 3)
        assert manager.up.is_set()
        assert raw.connections == 1


async def test_silence_after_the_question_ends_it() -> None:
    def login_only(fields: Fields) -> bytes:
        return success(fields) if fields["Action"] == "Login" else b""

    async with pretending(answer=login_only) as raw:
        quick = settings(raw, ping_s=0.02, answer_timeout_s=0.1)
        async with managing(quick) as manager:
            await until(lambda: raw.connections == 2)
            assert manager.fault in ("Asterisk is silent", "")  # empty: connected again


NOISE = {
    "no headers": b"\x00\xff\xfe\r\n\r\n",
    "an empty pack": b"\r\n\r\n\r\n\r\n",
    "an answer to nobody": b"Response: Success\r\nActionID: a0\r\n\r\n",
    "an answer without an id": b"Response: Error\r\nMessage: x\r\n\r\n",
    "an event without a name": b"Event: \r\nUniqueid: o1\r\n\r\n",
    "events that we did not ask for": b"Event: Newchannel\r\nUniqueid: o1\r\n\r\n" * 1000,
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=list(NOISE))
async def test_noise_ends_nothing(noise: bytes) -> None:
    async with pretending() as raw:
        client = AmiClient(settings(raw), ignore)
        await client.open()
        raw.say(noise)
        assert (await client.ask("Ping", {}))["Message"] == "done"
        await client.close()


async def test_a_pack_without_an_end_ends_the_connection_and_every_wait() -> None:
    async with pretending(
        answer=lambda fields: success(fields) if fields["Action"] == "Login" else b""
    ) as raw:
        client = AmiClient(settings(raw, answer_timeout_s=10), ignore)
        await client.open()
        asking = asyncio.create_task(client.ask("Ping", {}))
        await until(lambda: bool(raw.times_of("Ping")))
        raw.say(b"Event: x\r\n" * 20_000)
        with pytest.raises(Lost, match="a pack without an end"):
            await asking
        with pytest.raises(Lost):
            await client.ask("Ping", {})


async def test_trouble_in_a_listener_is_not_the_connections() -> None:
    heard: list[str] = []

    def fails(event: str, headers: Mapping[str, str]) -> None:
        heard.append(f"{event} {headers['Uniqueid']}")
        raise RuntimeError

    async with pretending() as raw:
        client = AmiClient(settings(raw), fails)
        await client.open()
        raw.say(b"Event: Hangup\r\nUniqueid: o1\r\n\r\nEvent: Hangup\r\nUniqueid: o2\r\n\r\n")
        await client.ask("Ping", {})
        await client.close()
    assert heard == ["Hangup o1", "Hangup o2"]


async def test_an_error_is_told_in_asterisks_words() -> None:
    def answer(fields: Fields) -> bytes:
        return success(fields) if fields["Action"] == "Login" else refuse(fields)

    async with pretending(answer=answer) as raw:
        client = AmiClient(settings(raw), ignore)
        await client.open()
        with pytest.raises(Refused, match="Authentication failed"):
            await client.ask("Originate", {})
        await client.close()


async def test_a_peer_that_does_not_read_fills_no_memory() -> None:
    taken = asyncio.Event()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(GREETING)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if line)
        writer.write(success(fields))
        await taken.wait()
        writer.close()

    async with await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024) as server:
        port = server.sockets[0].getsockname()[1]
        client = AmiClient(settings(port), ignore)
        await client.open()
        with pytest.raises(Lost, match="does not read"):
            _flood(client)
        await client.close()
        taken.set()


def _flood(client: AmiClient) -> None:
    for _ in range(100_000):
        client.send_action(Action("Ping", {"Field": "x" * 900}))


async def test_over_ipv6() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    async with pretending(host="::1") as raw, managing(settings(raw, host="::1")) as manager:
        await up(manager)
