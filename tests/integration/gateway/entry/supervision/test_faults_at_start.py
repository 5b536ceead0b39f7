"""What is told, and by which exit code, where there is no state, no room, or no right to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness import UNDERCAP

SMALL = ("unshare", "-rm", "sh", "-c", 'mount -t tmpfs -o size="$0" none . && cd . && cd "$PWD" && exec "$@"')
LOWLY = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")  # root without its passe-partout
LIMIT_S = 60


def told(folder: Path, *argv: str) -> tuple[int, str]:
    """Exit code, and what a command says on standard error."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("UNDERCAP_")}
    done = subprocess.run(
        argv, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [("firm", "list"), ("smpp", "links"), ("worker",), ("api",)])
def test_a_folder_without_state_is_said_to_be_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    code, said = told(tmp_path, str(UNDERCAP), *command)
    assert code == 78
    where = (
        f"there is no state in {tmp_path / 'var'}: run it where `undercap up` ran, or set UNDERCAP_STATE_DIR"
    )
    assert where in said
    assert list(tmp_path.iterdir()) == []


def can(*argv: str) -> bool:
    """Whether this machine lets us."""
    if shutil.which(argv[0]) is None:
        return False
    return subprocess.run(argv, capture_output=True, check=False, cwd="/tmp").returncode == 0  # noqa: S108


@pytest.mark.parametrize(("command", "size"), [("up", "1k"), ("migrate", "1k"), ("migrate", "40k")])
def test_a_full_disk_at_the_first_start_may_be_tried_again(tmp_path: Path, command: str, size: str) -> None:
    if not can(*SMALL, "1k", "true"):
        pytest.skip("no small file system can be mounted here (unshare)")
    code, said = told(tmp_path, *SMALL, size, str(UNDERCAP), command)
    assert code == 74
    assert said.count("\n") == 1
    assert "disk full: free space, and start it again" in said


@pytest.mark.parametrize("command", [("up",), ("migrate",), ("worker",), ("firm", "list")])
def test_a_state_of_another_user_is_refused_in_a_line(tmp_path: Path, command: tuple[str, ...]) -> None:
    if os.geteuid() != 0 or not can(*LOWLY, "true"):
        pytest.skip("only root can make another user's directory (setpriv)")
    state = tmp_path / "var"
    state.mkdir(mode=0o700)
    os.chown(state, 12_345, 12_345)
    code, said = told(tmp_path, *LOWLY, str(UNDERCAP), *command)
    assert code == 78
    assert said.count("\n") == 1
    assert "Permission denied" in said
    found = subprocess.run(
        [*LOWLY, str(UNDERCAP), "doctor", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (1, "")
    assert f"chown {os.geteuid()} {state}" in found.stdout


def test_a_database_that_cannot_be_written_to_is_told_so(tmp_path: Path) -> None:
    if os.geteuid() != 0 or not can(*LOWLY, "true"):
        pytest.skip("only root can make another user's file (setpriv)")
    file = tmp_path / "var" / "undercap.db"
    file.parent.mkdir(mode=0o755)
    file.touch(mode=0o644)
    for path in (file, file.parent):
        os.chown(path, 12_345, 12_345)
    code, said = told(tmp_path, *LOWLY, str(UNDERCAP), "firm", "list")
    assert (code, said.count("\n")) == (78, 1)
    assert f"{file}: this user cannot write to it: run it as the user of `undercap up`" in said
