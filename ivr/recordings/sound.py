"""Sound of the telephone as numbers: whether it can be used, and how loud it is to be. Pure.

Samples are whole numbers from -32,768 to 32,767, 8,000 a second.
"""

from __future__ import annotations

import array
import io
import sys
import wave
from typing import Final, Literal

from gateway.domain.offers.recording import LEAST_MS, MOST_MS

RATE: Final = 8_000
MOST_RATE: Final = 768_000  # of studios; more of it makes work and no better sound
_MOST_CHUNKS: Final = 100  # before the one that tells the format
_FULL: Final = 32_767
_SILENT_BELOW: Final = _FULL // 100  # -40 dB: nobody would hear a word of it
_CUT_FROM: Final = _FULL * 99 // 100
_MOST_CUT: Final = 0.1  # of the samples; speech that was recorded far too loud
_PEAK: Final = 0.708  # -3 dB, as the house's own prompts


def samples(wav: bytes) -> array.array[int]:
    """Of a WAV file of 8 kHz, mono, 16 bits. Raises ValueError for any other."""
    try:
        with wave.open(io.BytesIO(wav)) as sound:
            if (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) != (1, 2, RATE):
                raise ValueError("not 8 kHz, mono, 16 bits")
            found = array.array("h", sound.readframes(sound.getnframes()))
    except (wave.Error, EOFError) as err:
        raise ValueError("no WAV file") from err
    return _turned(found)


def rate_of(uploaded: bytes) -> int | None:
    """Samples a second, as the head of a WAV file has it (RIFF, RIFX or RF64); None where none is found."""
    order: Literal["big", "little"] = "big" if uploaded[:4] == b"RIFX" else "little"
    at = 12
    for _ in range(_MOST_CHUNKS):
        size = int.from_bytes(uploaded[at + 4 : at + 8], order)
        if uploaded[at : at + 4] == b"fmt ":
            return int.from_bytes(uploaded[at + 12 : at + 16], order)
        at += 8 + size + size % 2  # chunks begin at even places
    return None


def wav_of(sound: array.array[int]) -> bytes:
    """A WAV file of these samples."""
    into = io.BytesIO()
    with wave.open(into, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(_turned(sound).tobytes())
    return into.getvalue()


def fault(sound: array.array[int]) -> str:
    """Why it cannot be used, in words for whoever has made it; empty where it can."""
    milliseconds = length_ms(sound)
    if milliseconds > MOST_MS:
        return f"is longer than {MOST_MS // 1000} seconds: shorten it"
    if milliseconds < LEAST_MS:
        return f"is shorter than {LEAST_MS / 1000:g} seconds"
    if _peak(sound) < _SILENT_BELOW:
        return "is silent, as a telephone hears it (200 to 3,400 Hz): record it louder"
    if sum(abs(sample) >= _CUT_FROM for sample in sound) > _MOST_CUT * len(sound):
        return "is far too loud, so that it is only noise: record it more quietly"
    return ""


def length_ms(sound: array.array[int]) -> int:
    """In milliseconds."""
    return len(sound) * 1000 // RATE


def levelled(sound: array.array[int]) -> array.array[int]:
    """As loud as the house's prompts."""
    factor = _PEAK * _FULL / max(_peak(sound), 1)
    return array.array("h", (round(sample * factor) for sample in sound))


def _peak(sound: array.array[int]) -> int:
    return max((abs(sample) for sample in sound), default=0)


def _turned(sound: array.array[int]) -> array.array[int]:
    """From or to the octets of a WAV file, the lower ones first."""
    if sys.byteorder == "big":
        sound = sound[:]
        sound.byteswap()
    return sound
