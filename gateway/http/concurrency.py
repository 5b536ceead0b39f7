"""How many requests of one API key may be under way: no other one waits for what it sends at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aiohttp import web

from gateway.http.auth import shown_key
from gateway.http.problems import Kind, Problem

_AGAIN_S = 1


class AtOnce:
    """Of one process. Counted by what a request shows, before any store is asked, even for the key."""

    def __init__(self, most: int, refused: Callable[[], None]) -> None:
        """`refused`: told of each request too many."""
        self._most = most
        self._refused = refused
        self._under_way: Counter[str] = Counter()

    @contextmanager
    def place(self, request: web.Request) -> Iterator[None]:
        """Around the work of a request. Raises Problem for one too many."""
        shown = shown_key(request) or ""  # what is none is refused, whoever sends it
        if self._under_way[shown] >= self._most:
            self._refused()
            told = f"This key may have {self._most} such requests under way. Nothing was looked up."
            raise Problem(Kind.LIMITED, 429, told, retry_after_s=_AGAIN_S)
        self._under_way[shown] += 1
        try:
            yield
        finally:
            self._under_way[shown] -= 1
            if not self._under_way[shown]:
                del self._under_way[shown]
