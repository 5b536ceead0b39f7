"""Programs from Debian packages, unpacked into a folder of ours: no root, and the system stays as it was.

A private apt root with an empty dpkg status makes apt fetch every dependency, so the program runs on the
packages' own libraries and their own loader, whatever the machine has, and from any of Debian's suites.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

Run = Callable[..., str]

LISTS: Final = (Path("/etc/apt/sources.list"), Path("/etc/apt/sources.list.d"))
KEYRING: Final = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# As `apt-get update --print-uris` tells it; suites with a dash are updates and security.
RELEASE_FILE: Final = re.compile(r"^'(?P<mirror>[^']+/debian)/dists/[a-z]+/InRelease'", re.MULTILINE)
TRIPLETS: Final = {"x86_64": "x86_64-linux-gnu", "aarch64": "aarch64-linux-gnu"}
LOADERS: Final = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
DONE: Final = "unpacked"  # a file that tells what was fetched, written last


class NoMirrorError(Exception):
    """apt on this machine knows no mirror of Debian, so another suite cannot be had."""


def unpacked(packages: tuple[str, ...], into: Path, run: Run, *, suite: str = "") -> Path:
    """The root that holds the packages and all that they depend on, fetched into `into` on the first call.

    `suite`: of the machine's own Debian mirror; empty: the machine's own lists as they are. `run(argv, peer)`
    runs a command and raises where it fails. Raises NoMirrorError.
    """
    wanted = f"{suite} {' '.join(packages)}\n"
    done, root = into / DONE, into / "root"
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(into, ignore_errors=True)
        _fetch(packages, into, run, suite)
        done.write_text(wanted, encoding="utf-8")
    return root


def command(root: Path, path: str, *, libraries: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The command line that starts a program of an unpacked root on the root's own loader and libraries.

    `libraries`: folders beside the usual ones, under the root.
    """
    triplet = triplet_here()
    loader = root / "lib" / triplet / LOADERS.get(platform.machine(), "ld.so")
    if not loader.exists():
        loader = root / "usr" / loader.relative_to(root)
    folders = (f"lib/{triplet}", f"usr/lib/{triplet}", *libraries)
    return (str(loader), "--library-path", ":".join(str(root / each) for each in folders), str(root / path))


def triplet_here() -> str:
    """The name of Debian's library folders on this machine."""
    return TRIPLETS.get(platform.machine(), f"{platform.machine()}-linux-gnu")


def _fetch(packages: tuple[str, ...], into: Path, run: Run, suite: str) -> None:
    for folder in ("state/lists/partial", "cache/archives/partial", "root"):
        (into / folder).mkdir(parents=True, exist_ok=True)
    (into / "status").write_text("", encoding="utf-8")
    sources, parts = _lists(into, run, suite, packages[0])
    options = {
        "Dir::State": into / "state",
        "Dir::State::status": into / "status",
        "Dir::Cache": into / "cache",
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": parts,
        "Debug::NoLocking": 1,
        "APT::Sandbox::User": "",
        "APT::Install-Recommends": 0,
        "Acquire::Languages": "none",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in options.items())]
    run([*apt, "update"], packages[0])
    run([*apt, "--yes", "install", "--download-only", *packages], packages[0])
    archives = sorted((into / "cache" / "archives").glob("*.deb"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        root = str(into / "root")
        unpack = [
            pool.submit(run, ["dpkg-deb", "-x", str(archive), root], packages[0]) for archive in archives
        ]
    for each in unpack:
        each.result()
    shutil.rmtree(into / "cache")


def _lists(into: Path, run: Run, suite: str, peer: str) -> tuple[str, str]:
    """What apt is to read: a file of sources, and a folder of such."""
    sources, parts = LISTS
    if not suite:
        return str(sources) if sources.exists() else "/dev/null", str(parts) if parts.exists() else "-"
    signed = f"[signed-by={KEYRING}] " if KEYRING.exists() else ""
    ours = into / "sources.list"
    ours.write_text(f"deb {signed}{mirror(run, peer)} {suite} main\n", encoding="utf-8")
    return str(ours), "-"


def mirror(run: Run, peer: str = "debootstrap") -> str:
    """The address of the machine's own mirror of Debian. Raises NoMirrorError."""
    found = RELEASE_FILE.search(run(["apt-get", "update", "--print-uris"], peer))
    if found is None:
        raise NoMirrorError
    return found["mirror"]
