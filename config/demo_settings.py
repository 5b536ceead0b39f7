"""What `undercap up --demo` starts besides our own processes, so that the free number can be called."""

from __future__ import annotations

from pathlib import Path

from config.section import Command, Port, Section


class DemoSettings(Section):
    """The demo's Asterisk, and the programs that make its prompts."""

    asterisk: Command = "asterisk"
    asterisk_modules: Path | None = None  # default: where it was built to look
    asterisk_data: Path | None = None  # its documentation and sounds; default: likewise
    espeak: Command = "espeak-ng"
    sox: Command = "sox"
    sip_port: Port = 0  # of the demo's Asterisk, on 127.0.0.1; 0: `up --demo` takes a free one if it can
    handset_port: Port = 0  # where its calls to the virtual phones come to, on 127.0.0.1; 0: likewise
