"""What `undercap up --demo` starts besides our own processes, so that the free number can be called."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from config.section import Port, Section


def _words(command: str) -> str:
    if not shlex.split(command):  # raises ValueError where a quote is left open
        raise ValueError("names no program")
    return command


Command = Annotated[str, AfterValidator(_words)]  # a program and its first arguments, quoted as for a shell


class DemoSettings(Section):
    """The demo's Asterisk, and the programs that make its prompts."""

    asterisk: Command = "asterisk"
    asterisk_modules: Path | None = None  # default: where it was built to look
    asterisk_data: Path | None = None  # its documentation and sounds; default: likewise
    espeak: Command = "espeak-ng"
    sox: Command = "sox"
    sip_port: Port = 0  # of the demo's Asterisk, on 127.0.0.1; 0: `up --demo` takes a free one if it can
