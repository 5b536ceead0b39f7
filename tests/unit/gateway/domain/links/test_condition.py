"""How parts are judged from what they tell."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.domain.links import health
from gateway.domain.links.health import Grade, Part

LINKS: list[tuple[str, dict[str, str | None], Grade, str]] = [
    ("silent", {"a": None}, Grade.FAILED, "no smpp process reports: is `undercap smpp` running?"),
    ("one that nobody holds", {"a": "bound", "b": None}, Grade.DEGRADED, "a bound, b unheld"),
    ("none configured", {}, Grade.OK, "none configured"),
    ("bound", {"a": "bound"}, Grade.OK, "a bound"),
    ("one of two", {"b": "down", "a": "bound"}, Grade.DEGRADED, "a bound, b down"),
    ("half of a pair", {"a": "partial"}, Grade.FAILED, "a partial"),
    ("none", {"a": "connecting"}, Grade.FAILED, "a connecting"),
]


@pytest.mark.parametrize(
    ("states", "grade", "told"), [case[1:] for case in LINKS], ids=[case[0] for case in LINKS]
)
def test_links(states: dict[str, str | None], grade: Grade, told: str) -> None:
    assert health.links(states) == Part(name="links", grade=grade, told=told)


WORKERS: list[tuple[str, dict[str, Any] | None, Grade]] = [
    ("silent", None, Grade.FAILED),
    ("fine", {"ledger": ""}, Grade.OK),
    ("waits for the ledger", {"ledger": "OperationalError"}, Grade.DEGRADED),
]


@pytest.mark.parametrize(("said", "grade"), [case[1:] for case in WORKERS], ids=[case[0] for case in WORKERS])
def test_worker(said: dict[str, Any] | None, grade: Grade) -> None:
    assert health.worker(said).grade == grade


BLASTS: list[tuple[str, dict[str, Any] | None, Grade, str]] = [
    ("silent", None, Grade.DEGRADED, "no blasts process reports: is `undercap blasts` running?"),
    ("fine", {"swept_s": 0.3, "fault": ""}, Grade.OK, "runs"),
    (
        "stuck",
        {"swept_s": 15.0, "fault": "OperationalError"},
        Grade.DEGRADED,
        "its sweep stands still for 15 s: end the process, `up` starts it again",
    ),
    (
        "waits for a store",
        {"swept_s": 0.3, "fault": "OperationalError"},
        Grade.DEGRADED,
        "its stores are away (OperationalError); blasts wait",
    ),
]


@pytest.mark.parametrize(
    ("said", "grade", "told"), [case[1:] for case in BLASTS], ids=[case[0] for case in BLASTS]
)
def test_blasts(said: dict[str, Any] | None, grade: Grade, told: str) -> None:
    assert health.blasts(said) == Part(name="blasts", grade=grade, told=told)


@pytest.mark.parametrize(
    ("oldest_s", "texts", "grade"),
    [(0.0, 0, Grade.OK), (9.9, 500, Grade.OK), (10.0, 1, Grade.DEGRADED), (300.0, 1, Grade.FAILED)],
)
def test_settlement(oldest_s: float, texts: int, grade: Grade) -> None:
    assert health.settlement(oldest_s, texts).grade == grade


@pytest.mark.parametrize(
    ("grades", "whole"),
    [
        ([], Grade.OK),
        ([Grade.OK, Grade.OK], Grade.OK),
        ([Grade.OK, Grade.DEGRADED], Grade.DEGRADED),
        ([Grade.FAILED, Grade.DEGRADED, Grade.OK], Grade.FAILED),
    ],
)
def test_the_worst_part_is_the_grade_of_the_whole(grades: list[Grade], whole: Grade) -> None:
    parts = [Part(name="part", grade=grade, told="") for grade in grades]
    assert health.worst(parts) == whole


@pytest.mark.parametrize(
    ("faults", "grade", "told"),
    [
        ({}, Grade.DEGRADED, "no ivr process reports: is `undercap ivr` running?"),
        ({"a 1": "", "b 2": ""}, Grade.OK, "2 processes"),
        ({"a 1": "", "b 2": "Asterisk is away"}, Grade.DEGRADED, "Asterisk is away"),
    ],
    ids=["silent", "fine", "one of two"],
)
def test_calls(faults: dict[str, str], grade: Grade, told: str) -> None:
    assert health.calls(faults) == Part(name="calls", grade=grade, told=told)
