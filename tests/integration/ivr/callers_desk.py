"""A desk of calls as the talk sees it: knows one alias, and is away where a test says so."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from gateway.domain.answers.outcome import Outcome
from gateway.usecases.calls.free_number import AliasTold, Away
from gateway.usecases.codes.activation import Answered, CodeAnswer

ALIAS = "123456789"
POINTS = 1234


@dataclass
class FakeDesk:
    """`away`, `breaks`: names of services. `waits`: those that end with an event. `done`: what was asked."""

    away: set[str] = field(default_factory=set)
    waits: dict[str, asyncio.Event] = field(default_factory=dict)
    breaks: set[str] = field(default_factory=set)
    outcome: Outcome = Outcome.ACTIVATED
    chosen: str | None = None
    done: list[tuple[str, ...]] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)  # for anything

    async def language(self, number: str) -> str | None:
        await self._ask("language", number)
        return self.chosen

    async def choose_language(self, number: str, language: str) -> None:
        await self._ask("choose_language", number, language)

    async def alias(self, number: str) -> AliasTold:
        await self._ask("alias", number)
        return AliasTold(digits=ALIAS)

    async def text_alias(self, number: str, short_number: str, language: str) -> None:
        await self._ask("text_alias", number, short_number, language)

    async def activate(self, number: str, short_number: str, keyed: str, language: str) -> Answered:
        await self._ask("activate", number, short_number, keyed, language)
        points = 10 if self.outcome is Outcome.ACTIVATED else 0
        return Answered(codes=(CodeAnswer(outcome=self.outcome, points=points),))

    async def balance(self, number: str, short_number: str) -> int:
        await self._ask("balance", number, short_number)
        return POINTS

    async def agree(self, number: str, short_number: str, language: str, source: str) -> None:
        await self._ask("agree", number, short_number, language, source)

    async def stop(self, number: str, short_number: str, language: str) -> None:
        await self._ask("stop", number, short_number, language)

    async def _ask(self, service: str, *arguments: str) -> None:
        self.asked.set()
        if service in self.waits:
            await self.waits[service].wait()
        if service in self.breaks:
            raise LookupError(service)
        if service in self.away:
            raise Away(service)
        self.done.append((service, *arguments))
