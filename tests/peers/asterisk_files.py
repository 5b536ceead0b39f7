"""The files of one test's Asterisk: config/asterisk's own, and what an instance has to add to them."""

from __future__ import annotations

import random
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.peers.fetch import AsteriskProgram
from tests.peers.smsc import ROOT, PeerError

CONFIG: Final = ROOT / "config" / "asterisk"
RTP_PORTS: Final = 4000  # two a call
TRUNK: Final = "trunk"  # the endpoint that SIPp's calls come from and go to


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


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def write(folder: Path, program: AsteriskProgram, place: AsteriskPlace, ports: Ports, secret: str) -> None:
    """What an administrator does with config/asterisk, and this instance's ports and paths."""
    etc = folder / "etc"
    shutil.copytree(CONFIG, etc / "undercap")
    for edit in place.edits:
        _apply(edit, etc / "undercap" / edit.file)
    for name in ("spool", "run", "log", "data", "db", "sounds"):
        (folder / name).mkdir()
    shutil.copy(etc / "undercap" / "modules.conf", etc / "modules.conf")
    for name, text in _own_files(folder, program, place, ports).items():
        (etc / name).write_text(text, encoding="utf-8")
    (etc / "undercap-secret.conf").write_text(f"secret = {secret}\n", encoding="utf-8")
    data = program.root / "usr" / "share" / "asterisk"
    for name in ("documentation", "sounds"):
        (folder / "data" / name).symlink_to(data / name)


def _apply(edit: Edit, file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    if edit.old not in text:
        raise PeerError(f"{edit.file} does not hold what the test takes away: {edit.old}")
    file.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def _own_files(folder: Path, program: AsteriskProgram, place: AsteriskPlace, ports: Ports) -> dict[str, str]:
    rtp = random.randrange(10000, 32000 - RTP_PORTS, 2)  # noqa: S311 - not a secret
    return {
        "asterisk.conf": f"""[directories]
astetcdir => {folder}/etc
astmoddir => {program.modules}
astvarlibdir => {folder}/data
astdbdir => {folder}/db
astkeydir => {folder}/data
astdatadir => {folder}/data
astagidir => {folder}/data
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
astsbindir => {folder}/data
[options]
verbose = {place.verbose}
""",
        "logger.conf": "[general]\n[logfiles]\nfull => notice,warning,error,verbose\n",
        "extensions.conf": f"""[globals]
#include "undercap/globals.conf"
UNDERCAP_AGI = 127.0.0.1:{place.agi_port or free_port(socket.SOCK_STREAM)}
UNDERCAP_SOUNDS = {place.sounds or folder / "sounds"}
UNDERCAP_LANGUAGE = {place.language}
UNDERCAP_MOST_CALLS = {place.most_calls}
UNDERCAP_MOST_SECONDS = {place.most_seconds}
#include "undercap/extensions.conf"
{place.extra_dialplan}
""",
        "manager.conf": f"""[general]
#include "undercap/manager-general.conf"
port = {ports.ami}
#include "undercap/manager.conf"
{place.extra_manager}
""",
        "pjsip.conf": f"""#include "undercap/pjsip.conf"
[transport-udp]
type = transport
protocol = udp
bind = 127.0.0.1:{ports.sip}
[{TRUNK}](undercap-trunk)
transport = transport-udp
aors = {TRUNK}
[{TRUNK}](undercap-aor)
qualify_frequency = 0
contact = sip:127.0.0.1:{place.callee_port or ports.sip}
[{TRUNK}](undercap-identify)
endpoint = {TRUNK}
match = 127.0.0.1
""",
        # SIPp's media come from elsewhere than its SDP says.
        "rtp.conf": f"[general]\nrtpstart = {rtp}\nrtpend = {rtp + RTP_PORTS}\nstrictrtp = no\n",
    }
