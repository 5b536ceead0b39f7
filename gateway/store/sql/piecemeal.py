"""A batch written at once; if something in it cannot be, in ever smaller pieces: only that one waits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from redis.exceptions import RedisError

from gateway.store.sql.faults import Blame, LedgerAway, blame, word

_TRIES: Final = 3  # of what another transaction, or another connection, may let pass

T = TypeVar("T")
R = TypeVar("R")


def piecemeal(
    items: Sequence[T], write: Callable[[Sequence[T]], Sequence[R]]
) -> tuple[list[tuple[T, R]], list[tuple[T, str]]]:
    """Write items, in their order: each with what came of it, and those that fail alone, with the reason.

    `write`: one transaction, one result an item; it may be called again with what it has written before.
    Raises LedgerAway where the database takes nothing at all; RedisError.
    """
    if not items:
        return [], []
    results, reason = attempt(items, write)
    if results is not None:
        return list(zip(items, results, strict=True)), []
    if len(items) == 1:
        return [], [(items[0], reason)]
    middle = len(items) // 2
    done, failed = piecemeal(items[:middle], write)
    more_done, more_failed = piecemeal(items[middle:], write)
    return done + more_done, failed + more_failed


def attempt(
    items: Sequence[T], write: Callable[[Sequence[T]], Sequence[R]]
) -> tuple[Sequence[R] | None, str]:
    """Write at once; None and the reason where something in it is at fault. Raises as `piecemeal`."""
    for tried in range(1, _TRIES + 1):
        try:
            return write(items), ""
        except (LedgerAway, RedisError):
            raise
        except Exception as err:
            found = blame(err)
            if found is Blame.AWAY or (found is Blame.AGAIN and tried == _TRIES):
                raise LedgerAway(word(err)) from err
            if found is Blame.ROW:
                return None, word(err)
    raise AssertionError("unreachable")
