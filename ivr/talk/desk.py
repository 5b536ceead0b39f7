"""What the talk asks of the gateway: gateway.usecases.calls.free_number.

Everything raises Away, and in time.
"""

from __future__ import annotations

from typing import Protocol

from gateway.usecases.calls.free_number import AliasTold
from gateway.usecases.codes.activation import Answered


class Aliases(Protocol):
    """A caller's alias and language. Numbers are E.164 digits."""

    async def language(self, number: str) -> str | None:
        """As chosen earlier; None: never."""

    async def choose_language(self, number: str, language: str) -> None:
        """Keep a choice."""

    async def alias(self, number: str) -> AliasTold:
        """Given at the first call."""

    async def text_alias(self, number: str, short_number: str, language: str) -> None:
        """By SMS, also later."""


class Account(Protocol):
    """What a text can do, too, at a short number."""

    async def activate(self, number: str, short_number: str, keyed: str, language: str) -> Answered:
        """Claim a code."""

    async def balance(self, number: str, short_number: str) -> int:
        """Points."""

    async def agree(self, number: str, short_number: str, language: str, source: str) -> None:
        """To offers, after the question that was asked in `language`. `source`: names this wish."""

    async def stop(self, number: str, short_number: str, language: str) -> None:
        """No more offers."""


class Desk(Aliases, Account, Protocol):
    """Both."""
