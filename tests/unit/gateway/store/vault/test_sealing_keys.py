"""The file of sealing keys: private, whole, and never passed over in part."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from config.settings import Settings
from gateway.store.vault import sealing_keys
from gateway.store.vault.sealing_keys import KeyFile, SealingKeysError, sealing_now

SECRET = "0f" * 32
LINE = f"1 2026-05-04T09:12:05+00:00 {SECRET}\n"


def written(file: Path, text: str, mode: int = 0o600) -> Path:
    """The file as somebody has left it."""
    file.write_text(text)
    file.chmod(mode)
    return file


def test_what_is_written_is_read_again_and_private(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "sealing.keys"
    keys = (sealing_keys.new(1, 1_700_000_000), sealing_keys.new(3, 1_800_000_000))

    sealing_keys.write(file, keys)

    assert sealing_keys.read(file) == keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [found.name for found in file.parent.iterdir()] == ["sealing.keys"]
    assert len({key.secret for key in keys}) == 2
    assert keys[0].secret.hex() not in repr(keys)


def test_no_file_is_no_key(tmp_path: Path) -> None:
    assert sealing_keys.read(tmp_path / "none") == ()


def test_it_stands_in_the_state_directory_or_where_the_settings_say(tmp_path: Path) -> None:
    assert sealing_keys.file_of(Settings(state_dir=tmp_path)) == tmp_path / "sealing.keys"
    assert sealing_keys.file_of(Settings(sealing_keys_file=tmp_path / "k")) == tmp_path / "k"


BROKEN = [
    pytest.param(LINE[:-2] + "\n", id="a digit too few"),
    pytest.param(LINE + "2 2026-05-04T09:12:05+00:00\n", id="no secret"),
    pytest.param(LINE + LINE, id="a generation twice"),
    pytest.param("2" + LINE[1:] + LINE, id="out of order"),
    pytest.param("0" + LINE[1:], id="generation 0"),
    pytest.param("65536" + LINE[1:], id="too large a generation"),
    pytest.param(LINE.replace("2026-05-04", "yesterday"), id="no time"),
    pytest.param(LINE.replace("0f", "xx", 1), id="not hexadecimal"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_refused_whole(tmp_path: Path, text: str) -> None:
    with pytest.raises(SealingKeysError, match="put them back from your backup") as told:
        sealing_keys.read(written(tmp_path / "k", text))
    assert SECRET not in str(told.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SealingKeysError, match="chmod 600"):
        sealing_keys.read(written(tmp_path / "k", LINE, mode))


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "k").mkdir()
    with pytest.raises(SealingKeysError, match="cannot be written"):
        sealing_keys.write(tmp_path / "k", [sealing_keys.new(1, 0)])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_what_root_writes_is_the_services(tmp_path: Path) -> None:
    state = tmp_path / "var"
    state.mkdir()
    os.chown(state, 4711, 4712)
    file = state / "sealing.keys"
    sealing_keys.write(file, [sealing_keys.new(1, 0)])
    assert (file.stat().st_uid, file.stat().st_gid) == (4711, 4712)

    os.chown(state, 0, 0)
    sealing_keys.write(file, [sealing_keys.new(2, 0)])
    assert (file.stat().st_uid, file.stat().st_gid) == (4711, 4712)


def test_who_follows_the_file_sees_changes_and_notices_that_it_is_gone(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "k")
    assert file.look() == ()

    first = sealing_keys.new(1, 0)
    sealing_keys.write(file.file, [first])
    assert file.look() == (first,)
    second = sealing_keys.new(2, 0)
    sealing_keys.write(file.file, [first, second])
    assert file.look() == (first, second)

    file.file.unlink()
    with pytest.raises(SealingKeysError, match="are gone"):
        file.look()


def test_a_generation_seals_from_its_moment_on() -> None:
    keys = [sealing_keys.new(1, 100), sealing_keys.new(2, 200)]
    assert [sealing_now(keys, at) for at in (99, 100, 199, 200, 10_000)] == [0, 1, 1, 2, 2]
    assert sealing_now([]) == 0
