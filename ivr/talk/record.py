"""What is kept of a call: no number, no alias, no code."""

from __future__ import annotations

from dataclasses import dataclass

from ivr.agi.faults import Fault
from ivr.talk.caller import Sight
from ivr.talk.steps import CallEnd, Service


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """One call, at its end or as it stands: then `end` is LOST, which holds if our process ends right now.

    `id`: as of a text. Times are ms since 1970. `answered_at`: None when the caller hung up before. `keys`:
    pressed in menus, sorted: whoever keys a code into a menu must not leave it here. `services`: what the
    caller had done, in order, each once. `fault`: why it broke, where `end` is a fault.
    """

    id: str
    free_number: str
    sight: Sight
    language: str
    started_at: int
    answered_at: int | None
    ended_at: int
    keys: str
    services: tuple[Service, ...]
    end: CallEnd
    fault: Fault | None = None

    @property
    def talked_s(self) -> float:
        """Seconds from the answer to the end."""
        return 0.0 if self.answered_at is None else (self.ended_at - self.answered_at) / 1000
