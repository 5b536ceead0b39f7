"""Which texts have their intent on disk: it is taken back where a text waits for long, and noted again
before it leaves.

All changes are made one after the other by whoever takes texts, from what stands at that moment: a change
that failed is made again only as far as it is still right.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Protocol

from redis.exceptions import RedisError

from gateway.store.consent.gate import GateAway
from gateway.store.texts.sendqueue import Waiting
from smpp.sending.gate_queue import AsksGate
from smpp.sending.outgoing import Outgoing


class Notes(Protocol):
    """gateway.store.texts.sendqueue. Both raise RedisError."""

    async def begin_again(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Note a further submit; may be repeated."""

    async def hand_back(self, waiting: Sequence[Waiting]) -> None:
        """Take back the intents of what was taken and not submitted; may be repeated."""


class Intents:
    """Of one link's texts. `gate`: by which the ledger hears that marketing did not leave."""

    def __init__(self, notes: Notes, gate: AsksGate) -> None:
        self._notes = notes
        self._gate = gate
        self._behind: list[Outgoing] = []  # wait for long: to be taken back
        self._again: list[Outgoing] = []  # may leave now, or are in doubt: to be noted again

    def stand_back(self, outgoing: Outgoing) -> None:
        """It waits for long: after a kill there must be no doubt about it."""
        outgoing.stands_back = True
        self._behind.append(outgoing)

    def again(self, outgoing: Outgoing) -> None:
        """It may leave, once its intent stands again."""
        if outgoing.stands_back:
            outgoing.stands_back = False
            if outgoing in self._behind:
                self._behind.remove(outgoing)
        self._again.append(outgoing)

    async def take_back(self) -> None:
        """Of those that wait, in the ledger too: there they would else have left. Raises RedisError."""
        while behind := self._behind:
            self._behind = []
            try:
                await self._notes.hand_back([outgoing.waiting for outgoing in behind])
            except (RedisError, OSError, TimeoutError):
                # Whose turn has come meanwhile is noted again, and must not be taken back behind that.
                self._behind = [one for one in behind if one.stands_back] + self._behind
                raise
            for outgoing in behind:
                outgoing.waiting = _before(outgoing.waiting)
                outgoing.noted = False
            await self._forget_in_ledger([outgoing for outgoing in behind if outgoing.in_ledger])

    async def _forget_in_ledger(self, behind: Sequence[Outgoing]) -> None:
        """Where the ledger is away, it may believe that they left: then they never do."""
        for outgoing in behind:
            outgoing.in_ledger = False
        with contextlib.suppress(GateAway):
            await self._gate.take_back([outgoing.waiting.message_id for outgoing in behind])

    async def note(self) -> list[tuple[Outgoing, Waiting]]:
        """Of those that may leave; each with its submit counted. Raises RedisError."""
        if not self._again:
            return []
        again, self._again = self._again, []
        try:
            noted = await self._notes.begin_again([_unbegun(outgoing) for outgoing in again])
        except (RedisError, OSError, TimeoutError):
            self._again = again + self._again
            raise
        return list(zip(again, noted, strict=True))


def _unbegun(outgoing: Outgoing) -> Waiting:
    """As it stood before the submit that is to be noted. What could not be taken back is noted already."""
    return _before(outgoing.waiting) if outgoing.noted and not outgoing.unknown else outgoing.waiting


def _before(waiting: Waiting) -> Waiting:
    return waiting._replace(begun=waiting.begun - 1)
