"""What a marketer asked for and cannot have; told in words that say what to do."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """`why`: one line each."""

    def __init__(self, *why: str) -> None:
        super().__init__("\n".join(why))
        self.why: Sequence[str] = why


class Stale(Refused):
    """Somebody else has changed it since it was looked at."""

    def __init__(self, id_: int, revision: int) -> None:
        super().__init__(
            f"blast {id_} was changed meanwhile, and is at revision {revision}: look at it again"
        )


class Unknown(Exception):
    """The firm has no such audience or blast."""
