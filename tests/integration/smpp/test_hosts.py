"""A link with several hosts: SMSCs that nobody here wrote, of which some are away, refuse or die."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from smpp.link.link import Link, LinkState
from tests.conftest import any_smsc
from tests.integration.smpp.gateway_side import Recorder, befell, linked
from tests.peers.asterisk_files import free_port
from tests.peers.smsc import SmscPeer

Pair = tuple[SmscPeer, SmscPeer]


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    """Two SMSCs."""
    async with AsyncExitStack() as stack:
        found = SmscPeer(any_smsc()), SmscPeer(any_smsc())
        for smsc in found:
            await smsc.start()
            stack.push_async_callback(smsc.stop)
        yield found


def at(*smscs: SmscPeer | int) -> dict[str, Any]:
    """The settings of these hosts."""
    ports = [one if isinstance(one, int) else one.port for one in smscs]
    return {"host": "", "hosts": tuple(f"127.0.0.1:{port}" for port in ports), "bind_timeout_s": 5.0}


def stands(link: Link, *smscs: SmscPeer) -> bool:
    """Whether its binds stand there, in this order."""
    return [host for _, host in link.binds] == [f"127.0.0.1:{smsc.port}" for smsc in smscs]


async def test_one_that_is_away_is_passed_over_without_a_pause(pair: Pair) -> None:
    recorder, nobody = Recorder(), free_port(socket.SOCK_STREAM)
    async with linked(0, recorder, **at(nobody, pair[0])) as link:
        await recorder.until(lambda: link.state is LinkState.BOUND)
        assert stands(link, pair[0])
        assert LinkState.DOWN not in recorder.states
        assert link._lines[0].passed_over.startswith(f"127.0.0.1:{nobody}: cannot connect: ")


async def test_it_stays_on_what_works_and_goes_back_when_that_is_gone(pair: Pair) -> None:
    one, two = pair
    recorder = Recorder()
    async with linked(0, recorder, **at(one, two)) as link:
        await recorder.until(lambda: stands(link, one))
        await one.stop()
        await recorder.until(lambda: stands(link, two))
        await one.start(one.port)
        await two.restart()
        await recorder.until(lambda: stands(link, one))
        assert f"127.0.0.1:{two.port}: " in befell(link)


async def test_all_of_them_are_told_when_none_is_there() -> None:
    ports = [free_port(socket.SOCK_STREAM) for _ in range(2)]
    recorder = Recorder()
    async with linked(0, recorder, **at(*ports)) as link:
        await recorder.until(lambda: link.health.dead)
        for port in ports:
            assert f"127.0.0.1:{port}: cannot connect: " in link.fault


@pytest.mark.parametrize("spread", [False, True])
async def test_binds_of_a_pair_stand_together_or_are_spread(pair: Pair, *, spread: bool) -> None:
    one, two = pair
    recorder = Recorder()
    async with linked(0, recorder, **at(one, two), transceivers=2, spread=spread) as link:
        await recorder.until(lambda: link.state is LinkState.BOUND)
        assert stands(link, one, two if spread else one)
        await one.stop()
        await recorder.until(lambda: stands(link, two, two))


async def test_a_stop_between_two_hosts_ends_it() -> None:
    """The first accepts and says nothing; the second is never tried."""
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    tried = asyncio.Event()
    other = await asyncio.start_server(lambda *_: tried.set(), "127.0.0.1", 0)
    recorder = Recorder()
    async with silent, other:
        async with linked(0, recorder, **at(port, other.sockets[0].getsockname()[1])) as link:
            await recorder.until(lambda: link.state is LinkState.CONNECTING)
        assert link.state is LinkState.STOPPED
        assert not tried.is_set()
