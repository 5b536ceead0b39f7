"""The files of one test's Asterisk: those of ivr.asterisk, and what a test adds to them or takes away."""

from __future__ import annotations

import random
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ivr.asterisk import instance
from ivr.asterisk.instance import Instance
from tests.peers import call_records
from tests.peers.fetch import AsteriskProgram
from tests.peers.smsc import PeerError

RTP_PORTS: Final = 4000  # two a call
TRUNK: Final = instance.TRUNK  # the endpoint that SIPp's calls come from and go to


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """Where it listens on 127.0.0.1: SIP over UDP, and AMI."""

    sip: int
    ami: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """`old` becomes `new` in one of config/asterisk's files; a test takes a defence away with it."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AsteriskPlace:
    """What differs from one test's Asterisk to another's.

    `agi_port`: where our AGI server listens on 127.0.0.1; 0: nowhere. `callee_port`: where the trunk's callee
    (SIPp) waits for Originate's calls, on 127.0.0.1. `sounds`: a folder of prompts; None: an own, empty one.
    """

    agi_port: int = 0
    callee_port: int = 0
    sounds: Path | None = None
    language: str = "uk"
    most_calls: int = 1000
    most_seconds: int = 330
    edits: tuple[Edit, ...] = ()
    verbose: int = 3  # 0: the log holds no steps of the dialplan; for many calls
    extra_manager: str = ""  # more of manager.conf
    extra_dialplan: str = ""  # more of extensions.conf
    call_records: bool = False  # its own (CDR), which tests.peers.call_records reads


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def write(folder: Path, program: AsteriskProgram, place: AsteriskPlace, ports: Ports, secret: str) -> None:
    """What the product writes for an instance of its own, and what a test wants otherwise."""
    rtp = random.randrange(10000, 32000 - RTP_PORTS, 2)  # noqa: S311 - not a secret
    one = Instance(
        folder=folder,
        modules=program.modules,
        data=program.data,
        agi=f"127.0.0.1:{place.agi_port or free_port(socket.SOCK_STREAM)}",
        sounds=place.sounds or folder / "sounds",
        language=place.language,
        most_calls=place.most_calls,
        most_seconds=place.most_seconds,
        sip_port=ports.sip,
        callee_port=place.callee_port,
        ami_port=ports.ami,
        rtp_ports=(rtp, rtp + RTP_PORTS),
    )
    instance.write(one, secret)
    (folder / "sounds").mkdir()
    for edit in place.edits:
        _apply(edit, one.etc / "undercap" / edit.file)
    shutil.copy(one.etc / "undercap" / "modules.conf", one.etc / "modules.conf")  # as edited
    if place.call_records:
        call_records.configure(one.etc, program.modules)
    _append(one.etc / "asterisk.conf", f"verbose = {place.verbose}\n")
    _append(one.etc / "logger.conf", "full => notice,warning,error,verbose\n")
    _append(one.etc / "extensions.conf", place.extra_dialplan + "\n")
    _append(one.etc / "manager.conf", place.extra_manager + "\n")
    _append(one.etc / "rtp.conf", "strictrtp = no\n")  # SIPp's media come from elsewhere than its SDP says


def _apply(edit: Edit, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if edit.old not in text:
        raise PeerError(f"{edit.file} does not hold what the test takes away: {edit.old}")
    file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as into:
        into.write(text)
