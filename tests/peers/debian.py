"""Programs from Debian packages, unpacked into a folder of ours: no root, and the system stays as it was.

A private apt root with an empty dpkg status makes apt fetch every dependency, so the program runs on the
packages' own libraries and their own loader, whatever the machine has.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from pathlib import Path
from typing import Final

Run = Callable[..., str]

LISTS: Final = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
TRIPLETS: Final = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
LOADERS: Final = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}


def program(package: str, path: str, into: Path, run: Run) -> tuple[str, ...]:
    """The command line that starts `path` of a Debian package, fetched into `into` if it is not there.

    `run(argv, peer, cwd=)` runs a command and raises where it fails.
    """
    root = into / "root"
    if not (root / path).exists():
        _fetch(package, into, run)
    triplet = TRIPLETS.get(platform.machine(), f"{platform.machine()}-linux-gnu")
    loader = root / "lib" / triplet / LOADERS.get(platform.machine(), "ld.so")
    if not loader.exists():
        loader = root / "usr" / loader.relative_to(root)
    libraries = ":".join(str(root / part / triplet) for part in ("lib", "usr/lib"))
    return (str(loader), "--library-path", libraries, str(root / path))


def _fetch(package: str, into: Path, run: Run) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "root"):
        (into / folder).mkdir(parents=True, exist_ok=True)
    (into / "status").write_text("", encoding="utf-8")
    sources, parts = LISTS
    options = {
        "Dir::State": into / "state",
        "Dir::State::status": into / "status",
        "Dir::Cache": into / "cache",
        "Dir::Etc::sourcelist": sources if sources.exists() else "/dev/null",
        "Dir::Etc::sourceparts": parts if parts.exists() else "-",
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": 0,
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    run([*apt, "update"], package)
    run([*apt, "--yes", "install", "--download-only", package], package)
    for archive in sorted((into / "cache" / "archives").glob("*.deb")):
        run(["dpkg-deb", "-x", str(archive), str(into / "root")], package)
