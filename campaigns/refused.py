"""What a marketer asked for and cannot have; told in words that say what to do."""

from __future__ import annotations

from collections.abc import Sequence


class Refused(Exception):
    """`why`: one line each."""

    def __init__(self, *why: str) -> None:
        super().__init__("\n".join(why))
        self.why: Sequence[str] = why


class Unknown(Exception):
    """The firm has no such audience or blast."""
