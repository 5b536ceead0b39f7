"""Lines in JSON: whatever stands in them is told, and what an object hides stays hidden."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field

import pytest

from config.logging import _as_json


@dataclass(frozen=True, slots=True)
class Secretive:
    """Shows one of its fields."""

    shown: int
    number: str = field(repr=False)


def test_a_field_that_an_object_hides() -> None:
    told = _as_json({"event": "x", "what": Secretive(1, "380671234567")})
    assert "380671234567" not in told
    assert "shown=1" in told


@pytest.mark.parametrize(
    ("what", "value", "told"),
    [
        ("half a surrogate pair", "\ud83d", "\ud83d"),
        ("a number of over 64 bits", 1 << 80, 1 << 80),
        ("octets", b"\xff", "b'\\xff'"),
        ("a set", frozenset({1}), "frozenset({1})"),
        ("Cyrillic", "Код", "Код"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
def test_odd_values(what: str, value: object, told: object) -> None:
    assert json.loads(_as_json({"event": what, "value": value}))["value"] == told


LIBRARY = """
import logging
from config import logging as ours
ours.configure(process="worker", fmt="json", level="info")
for n in range(3):
    logging.getLogger("rq.worker").error("Could not connect to %s. Retrying in %d seconds", "x", n)
logging.getLogger("rq.worker").info("Job OK")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("another").exception("it broke")
"""


def test_lines_of_libraries_are_lines_of_ours_and_told_once() -> None:
    done = subprocess.run([sys.executable, "-c", LIBRARY], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [(line["event"], line["level"], line["library"], line["process"]) for line in lines] == [
        ("Could not connect to x. Retrying in 0 seconds", "error", "rq.worker", "worker"),
        ("it broke", "error", "another", "worker"),
    ]
    assert "ZeroDivisionError" in lines[1]["exception"]
