"""The files of a private Asterisk: config/asterisk's own, and what an administrator has to add to them.

It listens on 127.0.0.1 only. Its one trunk is this machine: whatever calls from here is let in.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
TRUNK: Final = "trunk"  # the endpoint that calls come from and go to
_FOLDERS: Final = ("spool", "run", "log", "data", "db")
_DATA: Final = ("documentation", "sounds")  # of the program's own


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """One private Asterisk. `folder`: absolute, short enough for a Unix socket in its `run`.

    `modules`, `data`: where the program's modules and its own sounds lie, if not where it was built to look.
    `agi`: HOST:PORT of our FastAGI server. `sounds`: of the prompts. `callee_port`: of the trunk, for calls
    to it; 0: there are none. `rtp_ports`: the first and the last, two a call.
    """

    folder: Path
    modules: Path | None = None
    data: Path | None = None
    agi: str
    sounds: Path
    language: str = "uk"
    most_calls: int = 1000
    most_seconds: int = 330
    sip_port: int
    callee_port: int = 0
    ami_port: int
    rtp_ports: tuple[int, int]

    @property
    def etc(self) -> Path:
        """Its configuration."""
        return self.folder / "etc"

    @property
    def options(self) -> tuple[str, ...]:
        """What the program is started with, and with more asked by."""
        return ("-C", str(self.etc / "asterisk.conf"))  # absolute: otherwise it reads /etc/asterisk


def write(instance: Instance, secret: str) -> None:
    """Make the folder, and its configuration anew. `secret`: of the manager interface. Raises OSError."""
    for name in ("etc", "data"):
        shutil.rmtree(instance.folder / name, ignore_errors=True)
    for name in _FOLDERS:
        (instance.folder / name).mkdir(parents=True, exist_ok=True)
    with resources.as_file(resources.files("config") / "asterisk") as ours:
        shutil.copytree(ours, instance.etc / "undercap")
    shutil.copy(instance.etc / "undercap" / "modules.conf", instance.etc / "modules.conf")
    for name, text in _files(instance).items():
        (instance.etc / name).write_text(text, encoding="utf-8")
    secret_file = instance.etc / "undercap-secret.conf"
    secret_file.touch(mode=0o600)
    secret_file.write_text(f"secret = {secret}\n", encoding="utf-8")
    if instance.data is not None:
        for name in _DATA:
            (instance.folder / "data" / name).symlink_to(instance.data / name)


def _files(instance: Instance) -> dict[str, str]:
    return {
        "asterisk.conf": _directories(instance),
        "amd.conf": '#include "undercap/amd.conf"\n',
        # No callers' numbers on disk: the dialplan's steps would show them.
        "logger.conf": "[general]\n[logfiles]\nmessages => warning,error\n",
        "extensions.conf": f"""[globals]
#include "undercap/globals.conf"
UNDERCAP_AGI = {instance.agi}
UNDERCAP_SOUNDS = {instance.sounds}
UNDERCAP_LANGUAGE = {instance.language}
UNDERCAP_MOST_CALLS = {instance.most_calls}
UNDERCAP_MOST_SECONDS = {instance.most_seconds}
#include "undercap/extensions.conf"
""",
        "manager.conf": f"""[general]
#include "undercap/manager-general.conf"
port = {instance.ami_port}
#include "undercap/manager.conf"
""",
        "pjsip.conf": f"""#include "undercap/pjsip.conf"
[transport-udp]
type = transport
protocol = udp
bind = {HOST}:{instance.sip_port}
[{TRUNK}](undercap-trunk)
transport = transport-udp
aors = {TRUNK}
[{TRUNK}](undercap-aor)
qualify_frequency = 0
contact = sip:{HOST}:{instance.callee_port or instance.sip_port}
[{TRUNK}](undercap-identify)
endpoint = {TRUNK}
match = {HOST}
""",
        "rtp.conf": "[general]\nrtpstart = {}\nrtpend = {}\n".format(*instance.rtp_ports),
    }


def _directories(instance: Instance) -> str:
    folder = instance.folder
    lines = {
        "astetcdir": instance.etc,
        "astmoddir": instance.modules,
        "astvarlibdir": folder / "data",
        "astdbdir": folder / "db",
        "astkeydir": folder / "data",
        "astdatadir": folder / "data" if instance.data else None,
        "astagidir": folder / "data",
        "astspooldir": folder / "spool",
        "astrundir": folder / "run",
        "astlogdir": folder / "log",
        "astsbindir": folder / "data",
    }
    told = "\n".join(f"{name} => {path}" for name, path in lines.items() if path is not None)
    return f"[directories]\n{told}\n[options]\n"
