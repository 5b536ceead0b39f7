"""Which time zone data counts: the newer of the system's and the package's.

Zones change by law, in Kazakhstan in 2024; a system that nobody upgrades would allow calls an hour too early.
Python takes the system's files first, however old they are.
"""

from __future__ import annotations

import zoneinfo
from dataclasses import dataclass
from pathlib import Path

import tzdata


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneData:
    """`version`: as the IANA names its releases, such as 2026a; `system`: it is the system's own."""

    version: str
    system: bool

    @property
    def year(self) -> int:
        """Of its release."""
        return int(self.version[:4])


def use_newest() -> ZoneData:
    """Let this process read the newer of the two; call it before any zone is read."""
    zoneinfo.reset_tzpath()
    found = newest()
    if not found.system:
        zoneinfo.reset_tzpath(())
    zoneinfo.ZoneInfo.clear_cache()
    return found


def newest() -> ZoneData:
    """The system's where it is as new as the package's; one that tells no version is taken for older."""
    system = next(filter(None, map(_version, zoneinfo.TZPATH)), "")
    if system >= tzdata.IANA_VERSION:
        return ZoneData(version=system, system=True)
    return ZoneData(version=tzdata.IANA_VERSION, system=False)


def _version(folder: str) -> str:
    """What the first line of `tzdata.zi` says: `# version 2025b`."""
    try:
        with (Path(folder) / "tzdata.zi").open(encoding="ascii") as file:
            words = file.readline().split()
    except (OSError, UnicodeDecodeError):
        return ""
    return words[2] if words[:2] == ["#", "version"] and len(words) == 3 and words[2][:4].isdecimal() else ""
