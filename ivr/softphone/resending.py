"""Requests that wait for their final response, and are sent again meanwhile (RFC 3261, 17.1). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

T1: Final = 0.5  # seconds (17.1.1.1)
T2: Final = 4.0
WITHIN_S: Final = 8.0  # of 64*T1: what does not answer on this very machine for so long is gone


@dataclass(kw_only=True, slots=True)
class _Waiting:
    octets: bytes
    again_at: float
    pause: float
    lost_at: float


class Resending:
    """By CSeq: its number and its method."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, str], _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, cseq: tuple[int, str]) -> bool:
        return cseq in self._waiting

    def begin(self, cseq: tuple[int, str], octets: bytes, now: float) -> bytes:
        """It is sent now; its octets."""
        self._waiting[cseq] = _Waiting(octets=octets, again_at=now + T1, pause=T1, lost_at=now + WITHIN_S)
        return octets

    def provisional(self, cseq: tuple[int, str]) -> None:
        """It has arrived, and its final response may take its time (17.1.1.2, 17.1.2.2)."""
        waiting = self._waiting.get(cseq)
        if waiting is not None:
            waiting.again_at = waiting.lost_at = float("inf")

    def final(self, cseq: tuple[int, str]) -> bool:
        """It has its final response. True if it waited for one."""
        return self._waiting.pop(cseq, None) is not None

    def due(self, now: float) -> list[bytes]:
        """What is to be sent again now."""
        again = [waiting for waiting in self._waiting.values() if waiting.again_at <= now < waiting.lost_at]
        for waiting in again:
            waiting.pause = min(2 * waiting.pause, T2)
            waiting.again_at = now + waiting.pause
        return [waiting.octets for waiting in again]

    def lost(self, now: float) -> bool:
        """Whether one of them got no answer in its time."""
        return any(waiting.lost_at <= now for waiting in self._waiting.values())
