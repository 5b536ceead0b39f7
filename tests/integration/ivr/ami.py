"""A manager of ours on a real Asterisk, for the tests of this folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from config.ivr_settings import AmiSettings
from ivr.ami.manager import Manager
from tests.peers.asterisk import Asterisk

WAIT_S: Final = 15.0
QUICK: Final = {
    "ping_s": 0.3,
    "answer_timeout_s": 2.0,
    "connect_timeout_s": 5.0,
    "reconnect_max_s": 0.5,
}


def settings_of(asterisk: Asterisk, **changes: Any) -> AmiSettings:
    """The settings that an administrator gives us, with quick times."""
    return AmiSettings(**{"port": asterisk.ami_port, "secret": asterisk.secret, **QUICK, **changes})


@asynccontextmanager
async def managing(settings: AmiSettings) -> AsyncIterator[Manager]:
    """A manager that runs, up or not."""
    manager = Manager(settings)
    task = asyncio.create_task(manager.run())
    try:
        yield manager
    finally:
        await manager.stop()
        await task


async def up(manager: Manager) -> None:
    """Until it is connected."""
    async with asyncio.timeout(WAIT_S):
        await manager.up.wait()


async def channels(asterisk: Asterisk, wanted: Callable[[int], bool]) -> None:
    """Until Asterisk has so many channels."""
    async with asyncio.timeout(WAIT_S):
        while not wanted(await asterisk.channels()):  # noqa: ASYNC110 - what another program does
            await asyncio.sleep(0.02)


async def until(true: Callable[[], bool]) -> None:
    """Until a condition holds that nobody signals."""
    async with asyncio.timeout(WAIT_S):
        while not true():  # noqa: ASYNC110 - what another program does
            await asyncio.sleep(0.01)
