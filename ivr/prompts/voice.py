"""One text spoken into one file: espeak-ng for the voice, sox for the telephone."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WITHIN_S: Final = 30.0
_WORDS_A_MINUTE: Final = "145"  # espeak-ng's default of 175 is hard to follow on the phone
_EDGE: Final = ("silence", "1", "0.005", "0.5%", "reverse")  # sox: no silence at the start; then turned round
# 8 kHz, mono, 16 bits: what every Asterisk plays as it is. The band is that of ITU-T G.712.
_FORMAT: Final = ("-r", "8000", "-c", "1", "-b", "16", "-e", "signed-integer")
_TELEPHONE: Final = ("sinc", "200-3400", "norm", "-3")
_PAUSE_S: Final = "0.4"
# A change here makes all files anew.
RECIPE: Final = f"1 {_WORDS_A_MINUTE} {_PAUSE_S} {' '.join((*_EDGE, *_FORMAT, *_TELEPHONE))}"


class VoiceError(Exception):
    """A program is missing, or does not do its work; the message says which and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The two programs, as command lines."""

    espeak: tuple[str, ...] = ("espeak-ng",)
    sox: tuple[str, ...] = ("sox",)

    def check(self) -> None:
        """Raises VoiceError when one of them is not there."""
        for program, option in ((self.espeak, "--espeak"), (self.sox, "--sox")):
            if shutil.which(program[0]) is None:
                raise VoiceError(
                    f"{program[0]} is not installed: `apt install espeak-ng sox`, or name it with {option}"
                )

    def speak(self, text: str, language: str, breath_s: float, wav: Path) -> None:
        """Write `text` as a telephone hears it to `wav`, cut tight, then `breath_s`. Raises VoiceError."""
        said = _run([*self.espeak, "-v", language, "-s", _WORDS_A_MINUTE, "--stdout", "--", text], b"")
        effects = (*_EDGE, *_EDGE, *_TELEPHONE, "pad", "0", f"{breath_s:g}")
        _run([*self.sox, "-t", "wav", "-", *_FORMAT, str(wav), *effects], said)

    def pause(self, wav: Path) -> None:
        """Write silence to `wav`. Raises VoiceError."""
        _run([*self.sox, "-n", *_FORMAT, str(wav), "trim", "0", _PAUSE_S], b"")


def _run(argv: list[str], given: bytes) -> bytes:
    try:
        done = subprocess.run(argv, input=given, capture_output=True, check=False, timeout=_WITHIN_S)
    except (OSError, subprocess.TimeoutExpired) as err:
        raise VoiceError(f"{argv[0]}: {err}") from err
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise VoiceError(f"{argv[0]} failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return done.stdout
