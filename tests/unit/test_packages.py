"""What is installed is what stands here: an install from a list forgets silently what the list forgets."""

from __future__ import annotations

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_directory_of_the_rooms_is_named_as_a_package() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = told["tool"]["importlinter"]["root_packages"]
    expected = {
        ".".join(place.relative_to(ROOT).parts)
        for room in rooms
        for place in (ROOT / room, *(ROOT / room).rglob("*"))
        if place.is_dir() and place.name != "__pycache__" and any(p.is_file() for p in place.iterdir())
    }
    assert set(told["tool"]["setuptools"]["packages"]) == expected
