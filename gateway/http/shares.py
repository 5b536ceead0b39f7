"""Work that takes long, in threads of its own: each firm has its share, and waits behind itself alone.

Firms that wait take turns, so one that asks for forty counts at once holds up neither another firm's one nor
anything else that this process does: activations and lookups run elsewhere.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from gateway.http.problems import Kind, Problem

MOST_WAITING: Final = 20  # of one firm; what comes behind is refused
_AGAIN_S: Final = 2
T = TypeVar("T")


class Shares:
    """Of one process. `threads`: for all firms; `of_one`: how many of them one firm may hold at once."""

    def __init__(self, name: str, *, threads: int, of_one: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._free = threads
        self._of_one = of_one
        self._held: Counter[int] = Counter()
        self._waiting: dict[int, deque[asyncio.Future[None]]] = {}  # in the order of their turns

    async def run(self, firm: int, work: Callable[[], T]) -> T:
        """What `work` returns, done in a thread when it is the firm's turn. Raises Problem for too many."""
        await self._turn(firm)
        try:
            done = asyncio.get_running_loop().run_in_executor(self._pool, work)
        except BaseException:
            self._give_back(firm)
            raise
        done.add_done_callback(lambda _: self._give_back(firm))
        return await asyncio.shield(
            done
        )  # who hangs up does not get its share back before the thread is free

    async def _turn(self, firm: int) -> None:
        if self._free and self._held[firm] < self._of_one and firm not in self._waiting:
            self._take(firm)
            return
        line = self._waiting.setdefault(firm, deque())
        if len(line) >= MOST_WAITING:
            told = "This firm has asked for too much at once. Ask again when some of it is answered."
            raise Problem(Kind.LIMITED, 429, told, retry_after_s=_AGAIN_S)
        turn = asyncio.get_running_loop().create_future()
        line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # its turn came as it left
                self._give_back(firm)
            else:
                self._leave(firm, turn)
            raise

    def _take(self, firm: int) -> None:
        self._free -= 1
        self._held[firm] += 1

    def _give_back(self, firm: int) -> None:
        self._free += 1
        self._held[firm] -= 1
        if not self._held[firm]:
            del self._held[firm]
        self._call_next()

    def _leave(self, firm: int, turn: asyncio.Future[None]) -> None:
        line = self._waiting.get(firm)
        if line is not None and turn in line:
            line.remove(turn)
            if not line:
                del self._waiting[firm]

    def _call_next(self) -> None:
        """The firm whose turn it is and that does not hold its share; it stands last then."""
        while self._free:
            firm = next((one for one in self._waiting if self._held[one] < self._of_one), None)
            if firm is None:
                return
            line = self._waiting.pop(firm)
            turn = line.popleft()
            if line:
                self._waiting[firm] = line
            if not turn.done():
                self._take(firm)
                turn.set_result(None)
