"""Where the embedded Valkey of a state directory lives, and what its configuration says."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from config.section import SettingsError
from config.settings import Settings
from gateway.store.files import state_dir

LONGEST_SOCKET_PATH = 100  # bytes; sockaddr_un holds 104 on macOS, 108 on Linux


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Paths of one embedded Valkey; a function of the state directory (and the user) alone."""

    directory: Path
    socket: Path

    @property
    def config(self) -> Path:
        """Its configuration, written by us at each start."""
        return self.directory / "valkey.conf"

    @property
    def log(self) -> Path:
        """What it says."""
        return self.directory / "valkey.log"

    @property
    def pid(self) -> Path:
        """Its process id, written by itself."""
        return self.directory / "valkey.pid"

    @property
    def lock(self) -> Path:
        """Locked for as long as it lives: it inherits the locked descriptor."""
        return self.directory / "valkey.lock"


def place(settings: Settings) -> Place:
    """The place that belongs to these settings; nothing is made."""
    state = settings.state_dir.resolve()
    socket = state / "valkey.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
        name = f"undercap-{os.geteuid()}-{digest}"
        socket = Path(tempfile.gettempdir()) / name / "valkey.sock"
    return Place(directory=state / "valkey", socket=socket)


def socket_url(settings: Settings) -> str:
    """URL of the embedded Valkey, `unix:///…`, as redis-py takes it."""
    return f"unix://{quote(str(place(settings).socket))}"


def redis_url(settings: Settings) -> str:
    """URL of the Redis to use: the configured one, else the embedded Valkey's."""
    return settings.redis.url or socket_url(settings)


def prepare(where: Place, *, maxmemory: str) -> None:
    """Make the directories and write the configuration. Raises SettingsError."""
    try:
        state_dir.make(where.directory.parent)
        where.directory.mkdir(mode=0o700, exist_ok=True)
        if where.socket.parent != where.directory.parent:
            _private(where.socket.parent)
        draft = where.config.with_suffix(".new")
        draft.write_text(configuration(where, maxmemory=maxmemory), encoding="utf-8")
        draft.replace(where.config)
        where.log.touch(mode=0o600)
    except OSError as err:
        raise SettingsError(f"{where.directory}: cannot be used for Valkey: {err.strerror}") from err


def configuration(where: Place, *, maxmemory: str) -> str:
    """The text of valkey.conf. `maxmemory` as Valkey writes sizes (`2gb`); `0`: no limit."""
    return "".join(f"{name} {value}\n" for name, value in _directives(where, maxmemory).items())


def _directives(where: Place, maxmemory: str) -> dict[str, str]:
    return {
        "port": "0",  # the socket is the only door
        "unixsocket": _quoted(where.socket),
        "unixsocketperm": "700",
        "dir": _quoted(where.directory),
        "logfile": _quoted(where.log),
        "pidfile": _quoted(where.pid),
        "daemonize": "no",
        "save": '""',  # the append-only file is the truth; snapshots would only double the writing
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "aof-use-rdb-preamble": "yes",
        "aof-load-truncated": "yes",  # a torn last write was never acknowledged
        "auto-aof-rewrite-percentage": "100",
        "auto-aof-rewrite-min-size": "512mb",
        "maxmemory": maxmemory,
        "maxmemory-policy": "noeviction",
        "timeout": "0",
    }


def _quoted(path: Path) -> str:
    """A path as valkey.conf takes it (sdssplitargs: double quotes, backslash escapes)."""
    text = str(path)
    if "\n" in text or "\r" in text:
        raise SettingsError("state_dir: a line break in the path cannot be used")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _private(directory: Path) -> None:
    """Make a directory under a public one such as /tmp, or accept ours; never somebody else's."""
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise SettingsError(
            f"{directory}: is not a private directory of this user: remove it, or choose a shorter state_dir"
        )
