"""What is gathered in memory and written to SQL every few seconds, so that nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager


class Gathered(ABC):
    """`run` it in a task, or `kept` beside a command.

    One writing at a time: the last may meet the one before.
    """

    def __init__(self, every_s: float) -> None:
        """`every_s`: so much of it a killed process has not written."""
        self._every_s = every_s
        self._writing = threading.Lock()

    async def run(self) -> None:
        """Write every `every_s` seconds until cancelled, and what is left then."""
        try:
            while True:
                await asyncio.sleep(self._every_s)
                await asyncio.to_thread(self.write)
        finally:
            self.write()

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The same beside a command that does not run in a loop."""
        done = threading.Event()

        def keep() -> None:
            while not done.wait(self._every_s):
                self.write()

        keeping = threading.Thread(target=keep, name=type(self).__name__, daemon=True)
        keeping.start()
        try:
            yield
        finally:
            done.set()
            keeping.join()
            self.write()

    def write(self) -> None:
        """All that was gathered so far; what a database that is away does not take waits."""
        with self._writing:
            self._write()

    @abstractmethod
    def _write(self) -> None:
        """The same, while nobody else does."""
