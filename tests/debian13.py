"""The two commands on a bare Debian 13, as an ordinary user: `make test-debian13 [ARGS="lint test"]`.

A root of its own is made with debootstrap under `.peers/debian13`; it holds what README names, and gets
what is committed here. One has to be root for that, so it is no part of `make test`.

    python -m tests.debian13 [TARGET …]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.peers import debian, fetch

SUITE: Final = "trixie"
PACKAGES: Final = "python3,python3-venv,make,ca-certificates"
HOME: Final = fetch.PEERS / "debian13"
ROOT: Final = HOME / "root"
USER: Final = "1000:1000"
# Names and certificates of this machine's network; its packages are had from the same mirrors.
FROM_HERE: Final = ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt")
PASSED_ON: Final = ("CI", "PIP_INDEX_URL", "PIP_CERT", "PIP_DEFAULT_TIMEOUT", "NPM_CONFIG_REGISTRY")
PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSIDE: Final = """
for place in proc sys dev dev/pts dev/shm; do mkdir -p "$0/$place"; mount --rbind "/$place" "$0/$place"; done
exec chroot --userspec="$1" "$0" sh -c 'cd /home/tester/undercap && exec "$@"' sh make "${@:2}"
"""


def main(targets: list[str]) -> int:
    """Make the root on the first call, put what is committed into it, and make `targets` (`test`) there."""
    if os.geteuid() != 0:
        sys.stderr.write("test-debian13: needs root, for debootstrap and chroot\n")
        return 1
    if not (ROOT / "bin" / "sh").exists():
        _bootstrap()
    for name in FROM_HERE:
        if Path(name).exists():
            shutil.copyfile(name, ROOT / name.lstrip("/"))
    _put_sources()
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    environment = {"HOME": "/home/tester", "LANG": "C.UTF-8", "PATH": PATH, **kept}
    argv = ["unshare", "--mount", "bash", "-c", INSIDE, str(ROOT), USER, *(targets or ["test"])]
    return subprocess.run(argv, env=environment, check=False).returncode


def _bootstrap() -> None:
    """A minimal system; debootstrap itself from the PATH or its package. Raises CalledProcessError."""
    shutil.rmtree(ROOT, ignore_errors=True)
    HOME.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    program = shutil.which("debootstrap")
    if program is None:
        tools = debian.unpacked(("debootstrap",), HOME / "tools", fetch.run)
        program = str(tools / "usr/sbin/debootstrap")
        environment["DEBOOTSTRAP_DIR"] = str(tools / "usr/share/debootstrap")
    mirror = debian.mirror(fetch.run)
    options = ("--variant=minbase", f"--include={PACKAGES}")
    subprocess.run([program, *options, SUITE, str(ROOT), mirror], env=environment, check=True)


def _put_sources() -> None:
    """What is committed, owned by the ordinary user; what was fetched and installed there stays."""
    there = ROOT / "home" / "tester" / "undercap"
    there.mkdir(parents=True, exist_ok=True)
    for old in there.iterdir():
        if old.name not in (".venv", ".peers"):
            shutil.rmtree(old) if old.is_dir() else old.unlink()
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=fetch.ROOT, stdout=subprocess.PIPE, check=True)
    subprocess.run(["tar", "-x", "-C", str(there)], input=archive.stdout, check=True)
    subprocess.run(["chown", "-R", USER, str(there.parent)], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
