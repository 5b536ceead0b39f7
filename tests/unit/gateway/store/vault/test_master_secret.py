"""The master secret: made once, private, never a second one beside a ledger."""

from __future__ import annotations

import os
import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pydantic import SecretStr

from config.settings import Settings
from gateway.store.vault import master_secret
from gateway.store.vault.master_secret import MasterSecretError

HEX = "0f" * 32


def ledger(state: Path) -> None:
    """A database that holds something."""
    with sqlite3.connect(state / "undercap.db") as database:
        database.execute("CREATE TABLE shopper (sealed BLOB)")


def test_first_run_makes_it_private_and_the_next_finds_it(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "deep" / "var")
    made = master_secret.load_or_make(settings)
    file = tmp_path / "deep" / "var" / "master.secret"
    assert len(made) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert master_secret.load_or_make(settings) == made
    assert [f.name for f in file.parent.iterdir()] == ["master.secret"]


def test_first_runs_at_once_agree(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path)
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: master_secret.load_or_make(settings), range(8)))
    assert len(made) == 1


def test_it_may_come_from_the_settings_or_a_named_file(tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.write_text(f"{HEX}\n")
    named.chmod(0o600)
    state = tmp_path / "var"
    for settings in (
        Settings(state_dir=state, master_secret=SecretStr(HEX)),
        Settings(state_dir=state, master_secret_file=named),
    ):
        assert master_secret.load_or_make(settings) == bytes.fromhex(HEX)
    assert not state.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "master.secret"
    file.write_text(HEX)
    file.chmod(mode)
    with pytest.raises(MasterSecretError, match=f"chmod 600 {file}"):
        master_secret.load_or_make(Settings(state_dir=tmp_path))


@pytest.mark.parametrize(
    ("label", "text"), [("empty", ""), ("short", "0f" * 31), ("long", "0f" * 33), ("no hex", "zz" * 32)]
)
def test_what_is_no_secret_is_refused_and_not_told(tmp_path: Path, label: str, text: str) -> None:
    file = tmp_path / "master.secret"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(MasterSecretError) as refused:
        master_secret.load_or_make(Settings(state_dir=tmp_path))
    assert str(refused.value) == f"{file}: the master secret must be 64 hexadecimal digits", label


def test_no_second_one_beside_a_ledger(tmp_path: Path) -> None:
    ledger(tmp_path)
    with pytest.raises(MasterSecretError, match="put it back from your backup"):
        master_secret.load_or_make(Settings(state_dir=tmp_path))
    assert not (tmp_path / "master.secret").exists()


def test_an_unreadable_database_counts_as_a_ledger(tmp_path: Path) -> None:
    (tmp_path / "undercap.db").write_bytes(b"no database" * 1000)
    with pytest.raises(MasterSecretError, match="put it back"):
        master_secret.load_or_make(Settings(state_dir=tmp_path))


def test_a_database_that_was_only_opened_does_not_count(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "undercap.db") as database:
        database.execute("PRAGMA journal_mode=WAL")
    assert len(master_secret.load_or_make(Settings(state_dir=tmp_path))) == 32


def test_a_named_file_that_is_missing_is_not_made(tmp_path: Path) -> None:
    named = tmp_path / "named"
    with pytest.raises(MasterSecretError, match="names a file that is not there"):
        master_secret.load_or_make(Settings(state_dir=tmp_path, master_secret_file=named))
    assert not named.exists()


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert master_secret.find(Settings(state_dir=tmp_path / "var")) is None
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("mode", [0o440, 0o444, 0o400])
def test_on_a_read_only_mount_others_may_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """As Docker and Kubernetes give secrets; nobody can chmod them."""
    file = tmp_path / "master.secret"
    file.write_text(HEX)
    file.chmod(mode)
    mounted(monkeypatch)
    assert master_secret.find(Settings(state_dir=tmp_path)) == bytes.fromhex(HEX)


def test_even_there_nobody_else_may_write_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "master.secret"
    file.write_text(HEX)
    file.chmod(0o664)
    mounted(monkeypatch)
    with pytest.raises(MasterSecretError, match="others may read"):
        master_secret.find(Settings(state_dir=tmp_path))


def mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every file system is mounted read-only."""

    class ReadOnly:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "fstatvfs", lambda _handle: ReadOnly())
