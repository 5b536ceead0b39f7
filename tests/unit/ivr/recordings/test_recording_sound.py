"""Which sound can be used as a recording, and how loud it becomes."""

from __future__ import annotations

import array
import math
import wave
from io import BytesIO

import pytest

from ivr.recordings.sound import RATE, fault, length_ms, levelled, samples, wav_of

FULL = 32_767


def tone(seconds: float, loudness: float) -> array.array[int]:
    """A tone; above 1 its tops are cut off."""
    peak = FULL * loudness
    turn = 2 * math.pi * 600 / RATE
    count = round(seconds * RATE)
    return array.array("h", (round(max(-FULL, min(FULL, peak * math.sin(turn * at)))) for at in range(count)))


@pytest.mark.parametrize(
    ("seconds", "loudness", "why"),
    [
        (1.0, 0.5, ""),
        (1.0, 0.02, ""),
        (1.0, 1.0, ""),
        (0.5, 0.5, ""),
        (60.0, 0.5, ""),
        (0.4, 0.5, "shorter than 0.5 seconds"),
        (60.1, 0.5, "longer than 60 seconds"),
        (1.0, 0.005, "is silent"),
        (0.0, 0.5, "shorter"),
        (1.0, 20.0, "far too loud"),
    ],
)
def test_what_cannot_be_used(seconds: float, loudness: float, why: str) -> None:
    told = fault(tone(seconds, loudness))
    assert (why in told) if why else (told == "")


@pytest.mark.parametrize("loudness", [0.02, 0.5, 1.0])
def test_every_recording_becomes_as_loud_as_the_others(loudness: float) -> None:
    peak = max(map(abs, levelled(tone(1.0, loudness))))
    assert peak == pytest.approx(FULL * 10 ** (-3 / 20), rel=0.01)


def test_a_file_of_samples_gives_them_back() -> None:
    sound = tone(0.7, 0.5)
    assert samples(wav_of(sound)) == sound
    assert length_ms(sound) == 700


@pytest.mark.parametrize("form", [(2, 2, 8000), (1, 1, 8000), (1, 2, 44100)])
def test_a_file_of_another_form_is_none_of_ours(form: tuple[int, int, int]) -> None:
    into = BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(form[0])
        file.setsampwidth(form[1])
        file.setframerate(form[2])
        file.writeframes(bytes(1000))
    with pytest.raises(ValueError, match="not 8 kHz"):
        samples(into.getvalue())


@pytest.mark.parametrize("octets", [b"", b"RIFF", b"RIFF\0\0\0\0WAVE", bytes(100)])
def test_what_is_no_file_at_all(octets: bytes) -> None:
    with pytest.raises(ValueError, match="no WAV"):
        samples(octets)
