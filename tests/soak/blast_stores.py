"""What befalls the stores of a blast under way: Redis put back, rebuilt, its clock stepped back."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from config import settings
from gateway.entry.valkey import place as valkey_place
from gateway.store.redis import keys
from tests.harness import VALKEY, Gateway
from tests.soak.blast_judge import Trouble

FIRM: Final = 1
STEP_MS: Final = 90_000
_FILES: Final = "appendonlydir"


class Stores:
    """`quiet`: nobody texts while it is held; `refuse`: refusals by the API, as many as are wanted."""

    def __init__(
        self,
        gateway: Gateway,
        trouble: Trouble,
        quiet: asyncio.Lock,
        refuse: Callable[[int], Awaitable[None]],
    ) -> None:
        self._gateway = gateway
        self._trouble = trouble
        self._quiet = quiet
        self._refuse = refuse

    def step_clock_back(self) -> None:
        """The order of changes stands ahead, as it does once a clock was stepped back."""
        with closing(self._gateway.redis()) as redis:
            at, clock, count = (int(part) for part in str(redis.get(keys.order(FIRM)), "ascii").split())  # type: ignore[arg-type]
            redis.set(keys.order(FIRM), f"{at + STEP_MS} {clock + STEP_MS} {count}")
        self._trouble.steps += 1

    async def rebuild(self, during: int = 5) -> None:
        """`undercap rebuild`, and refusals by the API while it runs."""
        await asyncio.gather(asyncio.to_thread(self._gateway.cli, "rebuild"), self._refuse(during))
        self._trouble.rebuilds += 1

    async def go_back(self, folder: Path, leaves: Callable[[], Awaitable[None]]) -> None:
        """Redis put back to a state that lacks what has left since, of which the ledger knows nothing yet.

        Nobody settles meanwhile, so that nothing shows that it is an older one. `leaves`: waits for offers.
        """
        async with self._quiet:
            await self._gateway.until(self._settled, "the outbox does not run dry", 60)
            self._trouble.kills += self._gateway.kill("worker")
            copied = await self._copied(folder)
            await leaves()
            await self._put_back(folder, copied)
            self._gateway.start("worker")

    async def restore(self, folder: Path, leaves: Callable[[], Awaitable[None]]) -> None:
        """The same, and it lacks refusals by the API, too, of which the ledger knows: it is closed, and
        rebuilt.
        """
        async with self._quiet:
            await self._gateway.until(self._settled, "the outbox does not run dry", 60)
            copied = await self._copied(folder)
            await self._refuse(10)
            await leaves()
            await self._gateway.until(self._settled, "the outbox does not run dry", 60)
            await self._put_back(folder, copied)
            await asyncio.sleep(2)  # whoever takes it for whole sends now
            self._trouble.noticed += self._closed()
            await self.rebuild(0)

    async def _copied(self, folder: Path) -> float:
        """A copy of what Redis has on disk now; when it was begun."""
        begun = time.monotonic()
        await asyncio.to_thread(shutil.copytree, self._files(), folder / f"copy-{len(self._trouble.back)}")
        return begun

    async def _put_back(self, folder: Path, copied: float) -> None:
        self._gateway.kill(VALKEY)
        shutil.rmtree(self._files())
        shutil.copytree(folder / f"copy-{len(self._trouble.back)}", self._files())
        self._gateway.start(VALKEY)
        self._trouble.back.append((copied, time.monotonic()))
        await self._gateway.until(self._gateway.answers, "Valkey does not answer")

    def _files(self) -> Path:
        return valkey_place.place(settings.load(self._gateway.config)).directory / _FILES

    def _settled(self) -> bool:
        with closing(self._gateway.redis()) as redis:
            return not redis.xlen(keys.outbox(FIRM))

    def _closed(self) -> bool:
        with closing(self._gateway.redis()) as redis:
            return redis.get(keys.gate(FIRM)) is None
