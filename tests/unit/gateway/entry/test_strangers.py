"""Another distribution has a package `config`, or `smpp`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.entry import strangers
from tests.harness import UNDERCAP


@pytest.mark.parametrize("name", strangers.OURS)
@pytest.mark.parametrize("command", [(str(UNDERCAP),), (sys.executable, "-m", "gateway.entry.cli")])
def test_a_package_of_the_same_name_is_refused_in_a_line(
    tmp_path: Path, name: str, command: tuple[str, ...]
) -> None:
    package = tmp_path / "theirs" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('it was imported')")
    done = subprocess.run(
        [*command, "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (78, "", 1)
    assert (
        f"the package `{name}` that Python would take is not Undercap's ({package}/__init__.py)"
        in done.stderr
    )
    assert "virtual environment of its own" in done.stderr


def test_ours_are_ours() -> None:
    strangers.refuse()
