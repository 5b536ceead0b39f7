"""The embedded Valkey's paths, configuration, program and last words."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from redis import Redis

from config.section import SettingsError
from config.settings import RedisSettings, Settings
from gateway.entry.process.ends import EndKind
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey import program as valkey_program
from gateway.entry.valkey.end import LEAST_FREE, TAIL, read_tail, why_valkey_ended

DIRECTORY = Path("/srv/undercap/valkey")


def test_the_socket_stands_in_the_state_directory(tmp_path: Path) -> None:
    where = valkey_place.place(Settings(state_dir=tmp_path))
    assert where.socket == tmp_path / "valkey.sock"
    assert where.directory == tmp_path / "valkey"


def test_a_long_path_gets_a_short_private_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "t").mkdir()
    settings = Settings(state_dir=tmp_path / ("long-" * 25))
    where = valkey_place.place(settings)
    assert where.socket.parent.parent == tmp_path / "t"
    assert where == valkey_place.place(settings)
    assert where.socket != valkey_place.place(Settings(state_dir=tmp_path / ("other" * 25))).socket
    valkey_place.prepare(where, maxmemory="0")
    assert where.socket.parent.stat().st_mode & 0o777 == 0o700
    where.socket.parent.chmod(0o755)
    with pytest.raises(SettingsError, match="not a private directory of this user"):
        valkey_place.prepare(where, maxmemory="0")


def test_a_link_laid_in_the_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t"))
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    where = valkey_place.place(Settings(state_dir=tmp_path / ("long-" * 25)))
    where.socket.parent.parent.mkdir()
    where.socket.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match="not a private directory"):
        valkey_place.prepare(where, maxmemory="0")


def test_the_url_survives_odd_paths(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "a b?#%41")
    url = valkey_place.socket_url(settings)
    client = Redis.from_url(url)
    assert client.connection_pool.connection_kwargs["path"] == str(valkey_place.place(settings).socket)
    assert unquote(url.removeprefix("unix://")) == str(valkey_place.place(settings).socket)


def test_a_configured_url_wins(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path, redis=RedisSettings(url="redis://r:6379/0"))
    assert valkey_place.redis_url(settings) == "redis://r:6379/0"


def test_a_line_break_cannot_smuggle_a_directive(tmp_path: Path) -> None:
    where = valkey_place.place(Settings(state_dir=tmp_path / "a\nport 6379"))
    with pytest.raises(SettingsError, match="line break"):
        valkey_place.configuration(where, maxmemory="0")


@pytest.mark.parametrize(
    ("told", "name", "version", "new_enough"),
    [
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc bits=64 build=1", "Valkey", "9.1.2", True),
        ("Valkey server v=7.2.5 sha=00000000:0 malloc=jemalloc-5.3.0", "Valkey", "7.2.5", True),
        ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1", "Redis", "7.0.15", True),
        ("Redis server v=6.0.16 sha=00000000:0 malloc=jemalloc-5.2.1", "Redis", "6.0.16", False),
        ("Redis server v=10.0.0 sha=0", "Redis", "10.0.0", True),
    ],
)
def test_programs(told: str, name: str, version: str, new_enough: bool) -> None:
    program = valkey_program.parsed(Path("/bin/x"), told)
    assert program is not None
    assert (program.name, program.version, program.new_enough) == (name, version, new_enough)


def test_what_is_no_server() -> None:
    assert valkey_program.parsed(Path("/bin/true"), "") is None


def on_path(monkeypatch: pytest.MonkeyPatch, directory: Path, **says: str) -> None:
    """Programs on an otherwise empty PATH; no wheel."""
    for name, told in says.items():
        file = directory / name.replace("_", "-")
        file.write_text(f"#!/bin/sh\necho '{told}'\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.setattr(valkey_program, "_bundled", lambda: None)


def test_the_first_new_enough_program_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(monkeypatch, tmp_path, redis_server="Redis server v=7.4.1 sha=0", valkey_server="broken")
    assert valkey_program.find().path == tmp_path / "redis-server"


@pytest.mark.parametrize(
    ("label", "says", "expected"),
    [
        ("none", {}, "no Valkey on this machine: install Valkey or Redis 7 or newer, or set redis.url"),
        ("old", {"redis_server": "Redis server v=6.0.16 sha=0"}, "is Redis 6.0.16, too old: install"),
    ],
)
def test_without_a_program_one_line_tells_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, label: str, says: dict[str, str], expected: str
) -> None:
    on_path(monkeypatch, tmp_path, **says)
    with pytest.raises(SettingsError) as refused:
        valkey_program.find()
    assert expected in str(refused.value), label
    assert "\n" not in str(refused.value)


PLENTY = 10**12
STORAGE, SET_UP, CRASH = EndKind.STORAGE, EndKind.SET_UP, EndKind.CRASH
AOF_ERROR = "# Error writing to the AOF file: "
BAD_CONFIG = "*** FATAL CONFIG FILE ERROR (Version 9.1.2) ***\nReading line 3\n>>> 'maxmemory much'\nbad size"
ENDS = (
    ("disk full", AOF_ERROR + "No space left on device", 1, STORAGE, "disk full: free space in /srv"),
    ("quota", AOF_ERROR + "Disk quota exceeded", 1, STORAGE, "quota"),
    ("file limit", AOF_ERROR + "File too large", 1, STORAGE, "quota"),
    ("broken disk", "# Fatal: fsync failed: Input/output error", 1, STORAGE, "reports errors"),
    ("damaged file", "# Bad file format reading the append only file x", 1, SET_UP, "undercap rebuild"),
    ("configuration", BAD_CONFIG, 1, SET_UP, "is refused: >>> 'maxmemory much' bad size"),
    ("killed", "1:M 1 Jan 2026 * Ready", -9, CRASH, "killed by SIGKILL"),
    ("warned", "1:M 1 Jan # WARNING overcommit\n1:M 1 Jan # Out Of Memory", 1, CRASH, ": Out Of Memory"),
    ("taken over", "", None, CRASH, "gone"),
)


@pytest.mark.parametrize(("label", "log", "code", "kind", "words"), ENDS, ids=[e[0] for e in ENDS])
def test_why_it_ended(label: str, log: str, code: int | None, kind: EndKind, words: str) -> None:
    end = why_valkey_ended(log, code, free_bytes=PLENTY, directory=DIRECTORY)
    assert (end.kind, words in end.reason) == (kind, True), (label, end.reason)
    assert "\n" not in end.reason


def test_a_disk_too_full_for_the_log_is_seen_by_its_room() -> None:
    end = why_valkey_ended("", 1, free_bytes=LEAST_FREE - 1, directory=DIRECTORY)
    assert (end.kind, "disk full" in end.reason) == (STORAGE, True)


def test_only_what_was_said_since_its_start_counts(tmp_path: Path) -> None:
    log = tmp_path / "valkey.log"
    log.write_bytes(b"No space left on device\n" + b"x" * 100_000 + b"end")
    assert len(read_tail(log, since=0)) == TAIL
    assert read_tail(log, since=os.path.getsize(log) - 3) == "end"
    assert read_tail(tmp_path / "none", since=0) == ""
