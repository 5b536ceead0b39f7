"""What an SMSC in trouble does, and when: all of it follows from a seed and from what it happens to.

A single decision (is this submit refused? does this receipt come mangled?) is a hash of the seed, of what is
decided and of whom it concerns, so that it does not depend on how the processes' turns fell.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import blake2b
from typing import Final, TypeVar

_T = TypeVar("_T")


class Event(StrEnum):
    """What befalls the whole SMSC at the beginning of a stretch."""

    NONE = "none"
    RESTART = "restart"  # gone with all its connections, and back on the same port
    CUT = "cut"  # connections are reset
    HALF_CLOSE = "half-close"  # it says that it sends no more, and goes on reading
    DEAF = "deaf"  # it reads nothing for longer than the gateway waits for a response


@dataclass(frozen=True, kw_only=True, slots=True)
class Weather:
    """One stretch. `rate`: texts a second; `delay_s`: the longest that an answer to a submit is held.

    `throttle`, `busy`, `drop`: shares of submits refused with RTHROTTLED or RMSGQFUL, refused with RSYSERR or
    RX_T_APPN, and never answered.
    """

    texts: int
    rate: float
    event: Event = Event.NONE
    throttle: float = 0.0
    busy: float = 0.0
    drop: float = 0.0
    delay_s: float = 0.0


CALM: Final = Weather(texts=0, rate=400.0)
EVENTS: Final = (Event.RESTART, Event.CUT, Event.HALF_CLOSE, Event.DEAF)


def forecast(n: int, seed: int, *, stretches: int, slowest: float, fastest: float) -> list[Weather]:
    """The stretches of a run of `n` texts; every event and every kind of trouble comes in turn."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    sizes = [n // stretches + (i < n % stretches) for i in range(stretches)]
    events = [event for i in range(stretches) for event in (Event.NONE, EVENTS[i % len(EVENTS)])][:stretches]
    chance.shuffle(events)
    return [
        Weather(
            texts=size,
            rate=chance.uniform(slowest, fastest),
            event=event,
            throttle=chance.choice((0.0, 0.004, 0.01)),
            busy=chance.choice((0.0, 0.004, 0.02)),
            drop=chance.choice((0.0, 0.001, 0.004)),
            delay_s=chance.choice((0.0, 0.02, 0.1, 0.3)),
        )
        for size, event in zip(sizes, events, strict=True)
    ]


class Fate:
    """Decides by hash: the same seed and the same facts give the same decision."""

    def __init__(self, seed: int) -> None:
        self._seed = seed.to_bytes(8)

    def share(self, what: str, *whom: object) -> float:
        """A number from 0 up to 1 for this decision about these facts."""
        text = "|".join((what, *map(str, whom))).encode()
        return int.from_bytes(blake2b(text, digest_size=8, key=self._seed).digest()) / 2**64

    def pick(self, choices: Sequence[_T], what: str, *whom: object) -> _T:
        """One of these."""
        return choices[int(self.share(what, *whom) * len(choices))]
