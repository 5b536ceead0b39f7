"""How much of a prompt is in what a caller heard."""

from __future__ import annotations

import array
import math
import wave
from collections.abc import Sequence
from operator import mul
from pathlib import Path
from typing import Final

STEP: Final = 80  # samples: 10 ms, the grain of the first look
CLOSE_LOOK: Final = 2000  # samples that are compared to find the very place


def samples(file: Path) -> array.array[int]:
    """Of a prompt's file: WAV, mono, 16 bit."""
    with wave.open(str(file), "rb") as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def likeness(heard: Sequence[int], prompt: Sequence[int]) -> float:
    """The correlation of a prompt with the part of `heard` that is most like it: 1 is the same, 0 nothing.

    Both are samples at one rate. The place is found by loudness first, then sample by sample.
    """
    loud_heard, loud_prompt = _loudness(heard), _loudness(prompt)
    rough = STEP * max(
        range(max(len(loud_heard) - len(loud_prompt) + 1, 1)),
        key=lambda at: _correlation(loud_heard[at:], loud_prompt),
    )
    close = prompt[:CLOSE_LOOK]
    lags = range(max(rough - 2 * STEP, 0), rough + 2 * STEP)
    place = max(lags, key=lambda at: _correlation(heard[at : at + CLOSE_LOOK], close))
    return _correlation(heard[place : place + len(prompt)], prompt)


def _loudness(sound: Sequence[int]) -> list[int]:
    return [sum(map(abs, sound[at : at + STEP])) for at in range(0, len(sound), STEP)]


def _correlation(one: Sequence[int], other: Sequence[int]) -> float:
    """Over the length of `other`; what is missing in `one` counts as silence."""
    part = one[: len(other)]
    energy = sum(map(mul, part, part)) * sum(map(mul, other, other))
    return sum(map(mul, part, other)) / math.sqrt(energy) if energy else 0.0
