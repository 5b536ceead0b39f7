"""What is installed is what stands here: setuptools finds packages, but must be told of other files."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_file_that_is_no_python_is_named_as_data() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    rooms = told["importlinter"]["root_packages"]
    assert told["setuptools"]["packages"]["find"]["include"] == [f"{room}*" for room in rooms]
    named = {
        path
        for package, patterns in told["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    standing = {path for room in rooms for path in (ROOT / room).rglob("*") if path.is_file()}
    assert {path for path in standing if path.suffix not in {".py", ".pyc"}} <= named
