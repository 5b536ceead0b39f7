"""The jobs that RQ runs. They carry references only; what they work with is set by the worker process."""

from __future__ import annotations

from collections.abc import Callable

_settle: Callable[[], int] | None = None


class NotConfigured(Exception):
    """A job ran in a process that `undercap worker` did not start."""


def configure(settle_: Callable[[], int]) -> None:
    """Set what this process does for a settlement."""
    global _settle  # noqa: PLW0603 - RQ finds a job by its name and gives it nothing else to hold on to
    _settle = settle_


def settle() -> int:
    """Drain every outbox; how many texts were settled."""
    if _settle is None:
        raise NotConfigured(settle.__name__)
    return _settle()
