"""Whether the demo's free number can be called, and what the processes of `up --demo` are told about it."""

from __future__ import annotations

import json
import os
import secrets
import shlex
import shutil
import socket
from pathlib import Path

from config.settings import Settings
from gateway.entry.demo.numbers import FREE_NUMBER, SHORT_NUMBER, SHOWN
from ivr.agi import wire
from ivr.agi.faults import AgiError
from ivr.asterisk.instance import HOST, TRUNK
from ivr.prompts import make

SOUNDS = "sounds"  # in the state directory
LONGEST_FOLDER = 80  # characters; under it is a Unix socket, `run/asterisk.ctl`


def offer(settings: Settings) -> None:
    """Put into the environment what makes the processes of `up` serve the free number, if they can.

    An Asterisk of the operator's own, as the settings have it, stays what it is.
    """
    if settings.ivr.enabled or lacking(settings):
        return
    chosen = {
        "DEMO__SIP_PORT": str(_free_port(socket.SOCK_DGRAM)),
        "DEMO__HANDSET_PORT": str(_free_port(socket.SOCK_DGRAM)),
        "IVR__AGI_PORT": str(_free_port(socket.SOCK_STREAM)),
        "IVR__AMI__PORT": str(_free_port(socket.SOCK_STREAM)),
        "IVR__AMI__SECRET": secrets.token_hex(16),
        "IVR__SOUNDS_DIR": str(sounds(settings)),
        "IVR__ESPEAK": settings.demo.espeak,
        "IVR__SOX": settings.demo.sox,
        "IVR__FREE_NUMBERS": json.dumps([{"number": FREE_NUMBER, "short_number": SHORT_NUMBER}]),
        "IVR__ENABLED": "true",
        "IVR__DIAL": "true",
        "IVR__TRUNK": TRUNK,
        "IVR__CALLER_NUMBER": FREE_NUMBER,
    }
    for name, value in chosen.items():
        os.environ.setdefault(f"UNDERCAP_{name}", value)


def lacking(settings: Settings) -> str:
    """Why the free number cannot be called here, in a sentence for the page; empty if it can."""
    absent = _absent(settings.demo.asterisk)
    if make.missing(sounds(settings)):
        absent += absent_voices(settings)
    if absent:
        names = ", ".join(absent)
        return f"To call {SHOWN}, run `make peers` or install {names}; then start again."
    try:
        wire.playlists([str(sounds(settings))], wire.MOST_COMMAND)
    except AgiError:
        return f"To call {SHOWN}, choose a state_dir with only letters, digits and . _ + - / in its path."
    if len(os.fsencode(folder(settings))) > LONGEST_FOLDER:
        return f"To call {SHOWN}, choose a state_dir with a shorter path."
    return ""


def sounds(settings: Settings) -> Path:
    """Where the demo's prompts are."""
    return settings.state_dir.absolute() / SOUNDS


def folder(settings: Settings) -> Path:
    """Where the demo's Asterisk keeps its files."""
    return settings.state_dir.absolute() / "asterisk"


def absent_voices(settings: Settings) -> list[str]:
    """Which of the programs that make prompts are not on this machine."""
    return _absent(settings.demo.espeak, settings.demo.sox)


def _absent(*commands: str) -> list[str]:
    programs = [shlex.split(command)[0] for command in commands]
    return [Path(program).name for program in programs if shutil.which(program) is None]


def _free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
