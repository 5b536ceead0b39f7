"""Makes a recording of what a firm has sent: a WAV file of any kind, or words to be spoken."""

from __future__ import annotations

import array
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gateway.domain.offers.recording import MOST_MS
from ivr.prompts.program import ProgramError, run
from ivr.prompts.voice import Voice
from ivr.recordings.sound import MOST_RATE, fault, length_ms, levelled, rate_of, samples, wav_of

MOST_OCTETS: Final = 10 * 1024 * 1024  # of what is uploaded
_RIFF: Final = (b"RIFF", b"RIFX", b"RF64")
_BREATH_S: Final = 0.25
# First of all cut, so that nothing makes work of hours of sound; then what a telephone carries (ITU-T G.712).
# Half as loud meanwhile: filters overshoot.
_EFFECTS: Final = ("trim", "0", f"{MOST_MS / 1000 + 1:g}", "gain", "-6", "remix", "-", "rate", "8000")
_BAND: Final = ("sinc", "200-3400", "gain", "6")
_FORMAT: Final = ("-r", "8000", "-c", "1", "-b", "16", "-e", "signed-integer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A WAV file as recordings are kept, and its length."""

    wav: bytes
    milliseconds: int


class NotHere(Exception):
    """A program is not on this machine; the message says which and what to do."""


class NotUsable(Exception):
    """What was sent makes no recording; the message says why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """`voice`: the programs. Its methods block, for half a minute at most."""

    voice: Voice

    def convert(self, uploaded: bytes) -> Sound:
        """A recording from a WAV file of any rate, channels and bits. Raises NotUsable, NotHere."""
        _must_be_here(self.voice.sox, "ivr.sox")
        if len(uploaded) > MOST_OCTETS:
            raise NotUsable(f"the file is larger than {MOST_OCTETS // 2**20} MiB")
        if uploaded[:4] not in _RIFF or uploaded[8:12] != b"WAVE":
            raise NotUsable("the file is no WAV file")
        if (rate := rate_of(uploaded)) is not None and rate > MOST_RATE:
            raise NotUsable(f"the file has {rate} samples a second, more than {MOST_RATE}: export it anew")
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "sound.wav"
            try:
                run(
                    [*self.voice.sox, "-t", "wav", "-", *_FORMAT, str(wav), *_EFFECTS, *_BAND],
                    uploaded,
                )
                heard = samples(wav.read_bytes())
            except (ProgramError, ValueError, OSError) as err:
                raise NotUsable("the file cannot be read as WAV: export it anew, as PCM") from err
        return _checked(heard)

    def speak(self, words: str, language: str) -> Sound:
        """A recording of words that espeak-ng speaks. Raises NotUsable, NotHere."""
        _must_be_here(self.voice.espeak, "ivr.espeak")
        _must_be_here(self.voice.sox, "ivr.sox")
        with tempfile.TemporaryDirectory() as folder:
            wav = Path(folder) / "sound.wav"
            try:
                self.voice.speak(words, language, _BREATH_S, wav)
                heard = samples(wav.read_bytes())
            except (ProgramError, ValueError, OSError) as err:
                raise NotUsable("the words cannot be spoken: write them in letters and digits") from err
        return _checked(heard)


def _must_be_here(program: tuple[str, ...], setting: str) -> None:
    if shutil.which(program[0]) is None:
        name = Path(program[0]).name
        raise NotHere(f"{name} is not installed here: `apt install {name}`, or name it in {setting}")


def _checked(heard: array.array[int]) -> Sound:
    if why := fault(heard):
        raise NotUsable(f"the recording {why}")
    return Sound(wav=wav_of(levelled(heard)), milliseconds=length_ms(heard))
