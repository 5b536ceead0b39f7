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
from gateway.store import keys
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
        self._give_up()
        await asyncio.gather(asyncio.to_thread(self._gateway.cli, "rebuild"), self._refuse(during))
        self._trouble.rebuilds += 1

    async def restore(self, folder: Path) -> None:
        """Redis put back to a state that lacks only refusals by the API and what has left; then rebuilt."""
        async with self._quiet:
            await self._gateway.until(self._settled, "the outbox does not run dry", 60)
            copy = folder / f"copy-{self._trouble.restores}"
            shutil.copytree(self._files(), copy)
            await self._refuse(10)
            await self._gateway.until(self._settled, "the outbox does not run dry", 60)
            self._gateway.kill(VALKEY)
            shutil.rmtree(self._files())
            shutil.copytree(copy, self._files())
            self._gateway.start(VALKEY)
            await self._gateway.until(self._gateway.answers, "Valkey does not answer")
            self._trouble.restores += 1
            self._trouble.restored.append(time.monotonic())
            await asyncio.sleep(2)  # whoever takes it for whole sends now
            await self.rebuild(0)

    def _files(self) -> Path:
        return valkey_place.place(settings.load(self._gateway.config)).directory / _FILES

    def _settled(self) -> bool:
        with closing(self._gateway.redis()) as redis:
            return not (redis.xlen(keys.outbox(FIRM)) or redis.xlen(keys.results(FIRM)))

    def _give_up(self) -> None:
        """What waits now is given up: nobody knows whether it has left."""
        ((count,),) = self._gateway.sql(
            "SELECT count(*) FROM message WHERE blast_id IS NOT NULL AND state = 'queued'"
        )
        self._trouble.given_up += int(count)
