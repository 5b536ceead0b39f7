"""Prompts for tests, and how much of one is in what a caller heard."""

from __future__ import annotations

import array
import math
import wave
from collections.abc import Sequence
from operator import mul
from pathlib import Path
from typing import Final

RATE: Final = 8000  # samples a second
STEP: Final = 80  # samples: 10 ms, the grain of the first look
ROUGH_PLACES: Final = 4  # that are looked at closely
APART: Final = 4  # steps
CLOSE_LOOK: Final = 2000  # samples that are compared there


def write_prompt(file: Path, pitches: tuple[int, ...]) -> None:
    """A prompt that can be told from others: each pitch (Hz) sounds for an eighth of a second, and fades."""
    sound = array.array("h")
    for pitch in pitches:
        turn = 2 * math.pi * pitch / RATE
        length = RATE // 8
        loud = 6000 + 4 * pitch
        sound.extend(round(loud * (1 - at / length) * math.sin(turn * at)) for at in range(length))
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as into:
        into.setnchannels(1)
        into.setsampwidth(2)
        into.setframerate(RATE)
        into.writeframes(sound.tobytes())


def samples(file: Path) -> array.array[int]:
    """Of a prompt's file: WAV, mono, 16 bit."""
    with wave.open(str(file), "rb") as sound:
        return array.array("h", sound.readframes(sound.getnframes()))


def likeness(heard: Sequence[int], prompt: Sequence[int]) -> float:
    """The correlation of a prompt with the part of `heard` that is most like it: 1 is the same, 0 nothing.

    Both are samples at one rate. The place is found by loudness first, then sample by sample.
    """
    loud_heard, loud_prompt = _loudness(heard), _loudness(prompt)
    places = range(max(len(loud_heard) - len(loud_prompt) + 1, 1))
    rough = _apart(sorted(places, key=lambda at: _correlation(loud_heard[at:], loud_prompt), reverse=True))
    lags = {at for step in rough for at in range(max(step - 1, 0) * STEP, (step + 1) * STEP)}
    close = prompt[:CLOSE_LOOK]
    place = max(lags, key=lambda at: _correlation(heard[at : at + CLOSE_LOOK], close))
    return _correlation(heard[place : place + len(prompt)], prompt)


def _apart(best_first: Sequence[int]) -> list[int]:
    """The best places, none next to a better one."""
    chosen: list[int] = []
    for place in best_first:
        if all(abs(place - other) >= APART for other in chosen):
            chosen.append(place)
        if len(chosen) == ROUGH_PLACES:
            break
    return chosen


def _loudness(sound: Sequence[int]) -> list[float]:
    """Around its mean: silence is as telling as sound."""
    steps = [sum(map(abs, sound[at : at + STEP])) for at in range(0, len(sound), STEP)]
    mean = sum(steps) / max(len(steps), 1)
    return [step - mean for step in steps]


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    """Over the length of `other`; what is missing in `one` counts as silence."""
    part = one[: len(other)]
    energy = sum(map(mul, part, part)) * sum(map(mul, other, other))
    return sum(map(mul, part, other)) / math.sqrt(energy) if energy else 0.0
