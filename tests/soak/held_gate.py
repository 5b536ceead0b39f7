"""Between the sender and its Redis: lets all pass, and keeps the gate's next answer back when it is told to.

So a process can be stopped with a certainty that no timing gives: after the gate has spoken and before the
process acts on it.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from gateway.store.redis.functions import script

LIMIT: Final = 1 << 16
# The gate's last call before a text may leave, and the persons whose caps it charges.
_CHARGE: Final = hashlib.sha1(script("caps").encode(), usedforsecurity=False).hexdigest().encode()
_PERSON: Final = re.compile(rb"\{caps\}:sms:([\w-]{22})")


class HeldGate:
    """`server`: the socket of Redis."""

    def __init__(self, server: Path) -> None:
        self._path = server
        self._server: asyncio.Server | None = None
        self._caught: asyncio.Future[set[str]] | None = None
        self._released = asyncio.Event()
        self._released.set()
        self._holding: asyncio.StreamReader | None = None  # what the caught connection is told comes from it
        self._asked = b""

    async def start(self) -> str:
        """Listen; the URL for the process that is to come by here."""
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0, limit=LIMIT)
        return f"redis://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def stop(self) -> None:
        """Listen no more."""
        self._released.set()
        if self._server is not None:
            self._server.close()

    async def catch(self, timeout_s: float = 30.0) -> set[str]:
        """Keep back the next answer to a charge; the indexes of whom it is about. Raises TimeoutError."""
        self._caught = asyncio.get_running_loop().create_future()
        self._released.clear()
        try:
            return await asyncio.wait_for(self._caught, timeout_s)
        finally:
            self._caught = None

    def release(self) -> None:
        """Hand the answer on."""
        self._holding, self._asked = None, b""
        self._released.set()

    async def _pass(self, asks: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        """One connection of the process, until either side ends it."""
        with suppress(OSError):
            answers, server = await asyncio.open_unix_connection(str(self._path), limit=LIMIT)
            await asyncio.gather(self._ask(asks, server, answers), self._tell(answers, told))
        told.close()

    async def _ask(
        self, asks: asyncio.StreamReader, server: asyncio.StreamWriter, answers: asyncio.StreamReader
    ) -> None:
        with suppress(OSError):
            while data := await asks.read(LIMIT):
                if self._caught is not None and self._holding is None and _CHARGE in data:
                    self._holding = answers
                if self._holding is answers:
                    self._asked += data
                server.write(data)
                await server.drain()
        server.close()

    async def _tell(self, answers: asyncio.StreamReader, told: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await answers.read(LIMIT):
                if self._holding is answers:
                    self._catch_now()
                    await self._released.wait()
                told.write(data)
                await told.drain()
        told.close()

    def _catch_now(self) -> None:
        if self._caught is not None and not self._caught.done():
            self._caught.set_result({found.decode() for found in _PERSON.findall(self._asked)})
