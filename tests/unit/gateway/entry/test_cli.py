"""The command line itself: help, faults in one report, exit codes, commands that are imported when called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.entry.cli import cli
from gateway.entry.lazy_group import LazyGroup
from gateway.entry.process.process import Exit

COMMANDS = [
    "up",
    "api",
    "smpp",
    "ivr",
    "worker",
    "simulate",
    "rebuild",
    "doctor",
    "config",
    "firm",
    "campaign",
    "audience",
    "blast",
    "blasts",
    "codes",
    "prompts",
    "dead",
]


def undercap(*arguments: str, cwd: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a real run."""
    kept = {k: v for k, v in os.environ.items() if "UNDERCAP_" not in k}
    done = subprocess.run(
        [sys.executable, "-m", "gateway.entry.cli", *arguments],
        cwd=cwd,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(cli, ["--help"])
    assert shown.exit_code == 0
    missing = [name for name in COMMANDS if f"\n  {name} " not in shown.output]
    assert missing == []
    hidden = [name for name, command in cli.commands.items() if command.hidden]
    assert hidden
    assert [name for name in hidden if f"\n  {name} " in shown.output] == []


def test_help_imports_no_command(tmp_path: Path) -> None:
    script = (
        "import sys; from click.testing import CliRunner; from gateway.entry.cli import cli;"
        "CliRunner().invoke(cli, ['--help']);"
        "print([m for m in ('sqlalchemy', 'aiohttp', 'rq', 'redis', 'phonenumbers') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_settings_are_checked_and_every_fault_is_told(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[http]\nport = 99999\n[log]\nlevel = "loud"\n[simulater]\nenabled = true\n')
    code, out, errors = undercap("--config", str(file), "config", "check", cwd=tmp_path, UNDERCAP_NOSUCH="1")
    assert (code, out) == (Exit.CONFIG, "")
    assert errors.splitlines()[0] == "undercap cannot go on, 4 faults:"
    for word in ("UNDERCAP_NOSUCH", "http.port", "log.level", "simulater"):
        assert any(line.startswith(f"  {word}: ") for line in errors.splitlines()), word


def test_good_settings(tmp_path: Path) -> None:
    code, out, errors = undercap("config", "check", cwd=tmp_path)
    assert (code, errors) == (Exit.OK, "")
    assert out == f"The settings are good (defaults and environment; state in {tmp_path / 'var'}).\n"
    assert list(tmp_path.iterdir()) == []


def test_one_fault_is_one_line(tmp_path: Path) -> None:
    code, _, errors = undercap("--config", "none.toml", "api", cwd=tmp_path)
    assert code == Exit.CONFIG
    assert errors == f"undercap: {tmp_path / 'none.toml'}: cannot be read: No such file or directory\n"


def test_an_unknown_command(tmp_path: Path) -> None:
    code, _, errors = undercap("upp", cwd=tmp_path)
    assert code == 2
    assert "No such command 'upp'" in errors


@click.group(
    cls=LazyGroup,
    lazy={
        "there": ("tests.unit.gateway.entry.test_cli:greet", "Greets."),
        "missing": ("gateway.entry.no_such_commands:x", "Is not there."),
        "broken": ("tests.unit.gateway.entry.needs_what_is_missing:x", "Needs another package."),
        "wrong": ("tests.unit.gateway.entry.test_cli:COMMANDS", "Is no command."),
    },
)
def group() -> None:
    """A group."""


@click.command()
def greet() -> None:
    """Greet."""
    click.echo("good day")


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("there", 0, "good day\n"),
        ("missing", 1, "Error: this installation has no gateway.entry.no_such_commands\n"),
        (
            "broken",
            1,
            "Error: tests.unit.gateway.entry.needs_what_is_missing needs no_such_package, which is not",
        ),
        ("wrong", 1, "Error: tests.unit.gateway.entry.test_cli has no command `COMMANDS`\n"),
    ],
)
def test_commands_elsewhere(name: str, code: int, expected: str) -> None:
    done = CliRunner().invoke(group, [name])
    assert (done.exit_code, done.output.startswith(expected)) == (code, True), done.output


def test_a_word_that_is_no_text_is_refused_in_a_line(tmp_path: Path) -> None:
    argv = [os.fsencode(Path(sys.executable).with_name("undercap")), b"firm", b"add", b"caf\xe9"]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "not UTF-8" in done.stderr, "Traceback" in done.stderr) == (2, True, False)
