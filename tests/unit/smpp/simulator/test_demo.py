"""The campaign's file: absent, changed, half written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from smpp.simulator.demo import Demo, DemoFile


def write(path: Path, text: str, *, stamp: int) -> None:
    path.write_text(text, encoding="utf-8")
    os.utime(path, ns=(stamp, stamp))


def content(**changes: object) -> str:
    whole: dict[str, object] = {
        "short_number": "4040",
        "firm": "Brew & Co",
        "campaign": "Summer",
        "codes": ["1234-567-890-123"],
    }
    return json.dumps(whole | changes)


def test_a_missing_file_says_how_to_make_codes(tmp_path: Path) -> None:
    file = DemoFile(tmp_path / "demo.json")
    assert not file.refresh()
    assert "undercap codes generate" in file.demo.fault


def test_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    file = DemoFile(path)
    write(path, content(), stamp=1)
    assert file.refresh()
    assert (
        Demo(short_number="4040", firm="Brew & Co", campaign="Summer", codes=("1234-567-890-123",))
        == file.demo
    )
    assert not file.refresh()
    write(path, content(codes=["1", "2"]), stamp=2)
    assert file.refresh()
    assert file.demo.codes == ("1", "2")
    path.unlink()
    assert file.refresh()
    assert not file.demo.codes


def test_a_half_written_file_leaves_what_stood(tmp_path: Path) -> None:
    path = tmp_path / "demo.json"
    file = DemoFile(path)
    write(path, content(), stamp=1)
    file.refresh()
    write(path, content()[:20], stamp=2)
    assert not file.refresh()
    assert file.demo.codes == ("1234-567-890-123",)
    write(path, content(codes=["9"]), stamp=2)
    assert file.refresh()
    assert file.demo.codes == ("9",)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("not JSON", "{codes: 1234567890123"),
        ("a list", "[]"),
        ("no codes", "{}"),
        ("codes no list", '{"codes": 5}'),
    ],
)
def test_a_bad_file_is_told_without_quoting_it(tmp_path: Path, label: str, text: str) -> None:
    path = tmp_path / "demo.json"
    path.write_text(text, encoding="utf-8")
    file = DemoFile(path)
    assert file.refresh(), label
    assert file.demo.fault == "demo.json cannot be used: it is not the JSON that is expected", label
