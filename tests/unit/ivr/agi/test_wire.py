"""AGI's lines: what Asterisk says is read strictly, what we say cannot become something else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.agi import wire
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.agi.wire import MOST_COMMAND, Result


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("200 result=0", Result(0), id="plain"),
        pytest.param("200 result=", Result(0), id="empty"),
        pytest.param("200 result=-1", Result(-1), id="negative"),
        pytest.param("200 result=1 (4040)", Result(1, "4040"), id="value"),
        pytest.param("200 result=1 ()", Result(1, ""), id="empty value"),
        pytest.param("200 result=1 (a (b) c)", Result(1, "a (b) c"), id="parentheses in a value"),
        pytest.param("200 result=0 (timeout) endpos=1200", Result(0, "timeout"), id="position"),
    ],
)
def test_answers(line: str, expected: Result) -> None:
    assert expected == wire.result(line)


@pytest.mark.parametrize(
    "line",
    [
        "HANGUP",
        "511 Command Not Permitted on a dead channel",
        "511 result=-1 Command Not Permitted on a dead channel or intercept routine",
    ],
)
def test_a_hang_up_is_told_from_a_fault(line: str) -> None:
    with pytest.raises(HungUp):
        wire.result(line)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("510 Invalid or unknown command", Fault.REFUSED),
        ("520 Invalid command syntax.  Proper usage not available.", Fault.REFUSED),
        ("520-Invalid command syntax.  Proper usage follows:", Fault.REFUSED),
        ("", Fault.GARBAGE),
        ("200", Fault.GARBAGE),
        ("200 result=one", Fault.GARBAGE),
        ("200 result=99999999999", Fault.GARBAGE),
        ("200 result=1 (half", Fault.GARBAGE),
        ("200 result=1 (a\x07b)", Fault.GARBAGE),
        ("201 result=0", Fault.GARBAGE),
        ("200 result=0\r", Fault.GARBAGE),
        ("HANGUP ", Fault.GARBAGE),
    ],
)
def test_anything_else_is_a_fault(line: str, fault: Fault) -> None:
    with pytest.raises(AgiError) as caught:
        wire.result(line)
    assert fault is caught.value.fault


@given(st.text(max_size=100))
def test_no_line_does_more_than_end_the_talk(line: str) -> None:
    with contextlib.suppress(AgiError, HungUp):
        assert isinstance(wire.result(line), Result)


def test_the_environment() -> None:
    lines = ["agi_network: yes", "agi_network_script: free", "agi_callerid: 380670000007", "agi_dnid: "]
    assert wire.environment(lines) == {
        "network": "yes",
        "network_script": "free",
        "callerid": "380670000007",
        "dnid": "",
    }


@pytest.mark.parametrize(
    "strange",
    [
        pytest.param("agi_callerid: 380670000009", id="doubled"),  # what a forged line break would add
        pytest.param("callerid: 1", id="not of AGI"),
        pytest.param("agi_x", id="no value"),
        pytest.param("agi_X: 1", id="capital"),
        pytest.param("agi_x: a\rb", id="control character"),
        pytest.param("ANSWER", id="a command"),
    ],
)
def test_a_strange_line_ends_the_environment(strange: str) -> None:
    with pytest.raises(AgiError) as caught:
        wire.environment(["agi_callerid: 380670000007", strange])
    assert caught.value.fault is Fault.GARBAGE


def test_files_are_joined_as_long_as_a_command_has_room() -> None:
    assert wire.playlists(["/s/uk/a", "/s/uk/b", "/s/uk/c"], 15) == ["/s/uk/a&/s/uk/b", "/s/uk/c"]


@pytest.mark.parametrize(
    "name", ["a&b", "a,b", "a b", 'a"', "a\n", "", "/", "a//b", "${EXTEN}", "a\\", "п", "a;b", "a|b"]
)
def test_no_file_name_becomes_two(name: str) -> None:
    with pytest.raises(AgiError) as caught:
        wire.playlists([name], 100)
    assert caught.value.fault is Fault.UNSAFE


@pytest.mark.parametrize("value", ["a\nb", "a\r", 'a"b', "a,b", "a&b", "${X}", "\x85", "\u2028", "x" * 201])
def test_no_value_becomes_a_command(value: str) -> None:
    with pytest.raises(AgiError):
        wire.value(value)


@pytest.mark.parametrize("name", ["", "lower", "A B", "A(B)", "A\n", "1A"])
def test_no_name_becomes_a_command(name: str) -> None:
    with pytest.raises(AgiError):
        wire.variable(name)


def test_a_command_is_one_line_with_a_quoted_end() -> None:
    assert wire.command("EXEC Playback", "/s/a&/s/b") == b'EXEC Playback "/s/a&/s/b"\n'
    with pytest.raises(AgiError):
        wire.command("EXEC Playback", "x" * MOST_COMMAND)
