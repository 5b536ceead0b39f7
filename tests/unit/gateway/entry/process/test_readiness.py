"""What a child tells its supervisor."""

from __future__ import annotations

import os
from select import PIPE_BUF

import pytest

from gateway.entry.process import readiness


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(readiness.VARIABLE, raising=False)
    readiness.ready()
    assert (readiness.supervised(), readiness.fault("broken")) == (False, False)


def test_a_line_is_written_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setenv(readiness.VARIABLE, str(writing))
    assert readiness.supervised()
    assert readiness.fault("ї" * 10_000)
    os.close(writing)
    with os.fdopen(reading, "rb") as heard:
        line = heard.read()
    assert line.endswith(b"\n")
    assert len(line) <= PIPE_BUF


def test_a_supervisor_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    monkeypatch.setenv(readiness.VARIABLE, str(writing))
    assert not readiness.fault("broken")
    os.close(writing)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one", "one"),
        ("one\n\n  two\r\n", "one; two"),
        ("", ""),
        ("x" * 600, "x" * 499 + "…"),
    ],
)
def test_one_line(text: str, expected: str) -> None:
    assert readiness.one_line(text) == expected


def test_the_variable_is_no_setting() -> None:
    assert not readiness.VARIABLE.startswith("UNDERCAP_")
