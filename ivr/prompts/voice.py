"""One text spoken into one file: espeak-ng for the voice, sox for the telephone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr.prompts.program import ProgramError, run

_WORDS_A_MINUTE: Final = "145"  # espeak-ng's default of 175 is hard to follow on the phone
_EDGE: Final = ("silence", "1", "0.005", "0.5%", "reverse")  # sox: no silence at the start; then turned round
# 8 kHz, mono, 16 bits: what every Asterisk plays as it is. The band is that of ITU-T G.712.
_FORMAT: Final = ("-r", "8000", "-c", "1", "-b", "16", "-e", "signed-integer")
_TELEPHONE: Final = ("sinc", "200-3400", "norm", "-3")
_PAUSE_S: Final = "0.4"
# A change here makes all files anew.
RECIPE: Final = f"1 {_WORDS_A_MINUTE} {_PAUSE_S} {' '.join((*_EDGE, *_FORMAT, *_TELEPHONE))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """The two programs, as command lines."""

    espeak: tuple[str, ...] = ("espeak-ng",)
    sox: tuple[str, ...] = ("sox",)

    def check(self) -> None:
        """Raises ProgramError when one of them is not there."""
        for program, option in ((self.espeak, "--espeak"), (self.sox, "--sox")):
            if shutil.which(program[0]) is None:
                raise ProgramError(
                    f"{program[0]} is not installed: `apt install espeak-ng sox`, or name it with {option}"
                )

    def speak(self, text: str, language: str, breath_s: float, wav: Path) -> None:
        """Write `text` as a telephone hears it to `wav`, cut tight, then `breath_s`. Raises ProgramError."""
        said = run([*self.espeak, "-v", language, "-s", _WORDS_A_MINUTE, "--stdout", "--", text], b"")
        effects = (*_EDGE, *_EDGE, *_TELEPHONE, "pad", "0", f"{breath_s:g}")
        run([*self.sox, "-t", "wav", "-", *_FORMAT, str(wav), *effects], said)

    def pause(self, wav: Path) -> None:
        """Write silence to `wav`. Raises ProgramError."""
        run([*self.sox, "-n", *_FORMAT, str(wav), "trim", "0", _PAUSE_S], b"")
