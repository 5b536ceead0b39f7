"""Any number of binds to one SMSC: their windows add up, the least loaded one takes the next submit."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from smpp.link.link import LinkState
from smpp.protocol import codec, statuses
from smpp.protocol.codec import BindKind
from tests.integration.smpp.gateway_side import ANSWER, Recorder, linked
from tests.integration.smpp.raw_smsc import RawSession, RawSmsc, deliver, listening


@pytest.fixture
async def raw() -> AsyncIterator[RawSmsc]:
    """An SMSC of octets."""
    async with listening() as smsc:
        yield smsc


async def all_bound(raw: RawSmsc, count: int) -> list[tuple[int, RawSession]]:
    """The binds that come, each with its command."""
    found = []
    for _ in range(count):
        session = await raw.session()
        found.append(((await session.take_bind()).command, session))
    return found


MIXES = [
    pytest.param({"transceivers": 3}, {BindKind.TRANSCEIVER: 3}, 6, id="three transceivers"),
    pytest.param(
        {"receivers": 2, "transmitters": 1}, {BindKind.RECEIVER: 2, BindKind.TRANSMITTER: 1}, 2,
        id="two receivers and a transmitter",
    ),
    pytest.param(
        {"receivers": 1, "transmitters": 2, "transceivers": 1},
        {BindKind.RECEIVER: 1, BindKind.TRANSMITTER: 2, BindKind.TRANSCEIVER: 1}, 6,
        id="all kinds",
    ),
    pytest.param({"receivers": 1}, {BindKind.RECEIVER: 1}, 0, id="a receiver alone"),
]  # fmt: skip


@pytest.mark.parametrize(("counts", "kinds", "free"), MIXES)
async def test_windows_add_up(
    raw: RawSmsc, counts: dict[str, int], kinds: dict[BindKind, int], free: int
) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, window=2, **counts) as link:
        sessions = await all_bound(raw, sum(counts.values()))
        assert Counter(command for command, _ in sessions) == {k.command: n for k, n in kinds.items()}
        await recorder.until(lambda: link.state is LinkState.BOUND)
        assert (link.free, link.health.bound) == (free, free > 0)
        assert sum(link.submit(ANSWER, n) for n in range(free + 1)) == free
        assert (link.health.free, link.health.window) == (0, free)
        for command, session in sessions:
            if command != BindKind.TRANSMITTER.command:
                session.write(deliver(1))
        receiving = [s for c, s in sessions if c != BindKind.TRANSMITTER.command]
        await recorder.until(lambda: len(recorder.messages) == len(receiving))


async def test_the_least_loaded_bind_takes_the_next(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, window=4, transceivers=2) as link:
        (_, one), (_, other) = await all_bound(raw, 2)
        await recorder.until(lambda: link.free == 8)
        assert all(link.submit(ANSWER, n) for n in range(4))
        shares = [[await session.read() for _ in range(2)] for session in (one, other)]
        for pdu in shares[0]:  # the other answers nothing: all that follows goes over the first
            one.reply(pdu, message_id="m")
        await recorder.until(lambda: len(recorder.results) == 2)
        assert all(link.submit(ANSWER, n) for n in range(2))
        assert len([await one.read() for _ in range(2)]) == 2
        assert link.free == 4


async def test_idle_binds_are_used_in_turn(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, transceivers=2) as link:
        (_, one), (_, other) = await all_bound(raw, 2)
        await recorder.until(lambda: link.state is LinkState.BOUND)
        for turn, session in enumerate((one, other, one, other), 1):  # each is answered before the next
            assert link.submit(ANSWER, turn)
            session.reply(await session.read(), message_id="m")
            await recorder.until(partial(answered, recorder, turn))


def answered(recorder: Recorder, count: int) -> bool:
    """So many submits have their result."""
    return len(recorder.results) == count


async def test_what_is_left_goes_on_when_one_bind_is_lost(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, window=2, transceivers=2, reconnect_max_s=60.0) as link:
        (_, one), (_, other) = await all_bound(raw, 2)
        await recorder.until(lambda: link.free == 4)
        one.close()
        await recorder.until(lambda: link.state is LinkState.PARTIAL)
        assert (link.free, link.health.bound, link.health.dead) == (2, True, False)
        assert link.submit(ANSWER, "token")
        other.reply(await other.read(), message_id="m")
        await recorder.until(lambda: bool(recorder.results))


async def test_a_link_is_dead_only_once_it_was_tried_again_in_vain(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        assert not link.health.dead  # not tried yet
        session = await raw.bound()
        await recorder.until(lambda: link.health.bound)
        session.close()
        await recorder.until(lambda: not link.health.bound)
        assert not link.health.dead
        again = await raw.session()
        asked = await again.read()
        again.write(codec.encode_bind_resp(BindKind.TRANSCEIVER, 0x0D, asked.sequence, ""))
        await recorder.until(lambda: link.health.dead)
        await raw.bound()
        await recorder.until(lambda: link.health.bound)
        assert not link.health.dead
    assert link.health.dead  # stopped
    assert not link.health.bound


async def test_health_says_until_when_the_link_is_throttled(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, throttle_wait_s=0.2) as link:
        session = await raw.bound()
        await recorder.until(lambda: link.free > 0)
        assert link.health.throttled_until == 0
        assert link.submit(ANSWER, "token")
        session.reply(await session.read(), status=statuses.RTHROTTLED)
        await recorder.until(lambda: bool(recorder.results))
        now = link._loop.time()
        assert now < link.health.throttled_until <= now + 0.2
        assert link.health.bound
        await recorder.until(lambda: link.free > 0)
        assert link.health.throttled_until == 0


BINDS = [
    pytest.param({}, (0x34, (0, 0, ""), ""), id="as it comes"),
    pytest.param(
        {"interface_version": 0x33, "system_type": "VMS", "address_range": "^4040$"},
        (0x33, (0, 0, "^4040$"), "VMS"),
        id="an old SMSC that routes by address",
    ),
    pytest.param(
        {"interface_version": 0x50, "address_ton": 3, "address_npi": 1}, (0x50, (3, 1, ""), ""), id="SMPP 5"
    ),
]


@pytest.mark.parametrize(("changes", "said"), BINDS)
async def test_the_bind_says_what_the_settings_say(
    raw: RawSmsc, changes: dict[str, Any], said: tuple[int, tuple[int, int, str], str]
) -> None:
    async with linked(raw.port, Recorder(), **changes):
        asked = await (await raw.session()).read()
        pdu = (16 + len(asked.body)).to_bytes(4, "big") + asked.command.to_bytes(4, "big") + bytes(4)
        bind = codec.decode_bind(pdu + asked.sequence.to_bytes(4, "big") + asked.body)
        assert isinstance(bind, codec.BindRequest)
        assert (bind.interface_version, tuple(bind.serves), bind.system_type) == said


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6 (::1)")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
async def test_an_smsc_at_an_ipv6_address(host: str) -> None:
    recorder = Recorder()
    async with listening("::1") as smsc, linked(smsc.port, recorder, host=host) as link:
        session = await smsc.bound()
        assert session.comes_from == "::1"
        await recorder.until(lambda: link.state is LinkState.BOUND)


async def test_connections_come_from_the_address_that_is_set(raw: RawSmsc) -> None:
    async with linked(raw.port, Recorder(), local_host="127.0.0.77"):
        session = await raw.bound()
        assert session.comes_from == "127.0.0.77"


async def test_an_address_that_is_not_ours_is_told(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder, local_host="192.0.2.1") as link:  # RFC 5737
        await recorder.until(lambda: LinkState.DOWN in recorder.states)
        assert "cannot connect" in link.fault
        assert "192.0.2.1" in link.fault


async def test_nothing_waits_in_the_socket_and_a_silent_peer_is_asked(raw: RawSmsc) -> None:
    recorder = Recorder()
    async with linked(raw.port, recorder) as link:
        await raw.bound()
        await recorder.until(lambda: link.state is LinkState.BOUND)
        session = link._lines[0].session
        assert session is not None
        assert session._pipe is not None
        connection: socket.socket = session._pipe._transport.get_extra_info("socket")
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
