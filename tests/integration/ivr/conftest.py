"""Prompts and Asterisks that the tests of calls share."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import prompts
from gateway.entry.cli import cli
from tests.conftest import peer_of
from tests.integration.conftest import house, shared_server
from tests.peers import fetch
from tests.peers.hearing import write_prompt

__all__ = ["house", "shared_server"]
# What stays as it is spoken where other sentences are cut short.
SPOKEN = ("activated", "language_set", "withheld", "sorry", "busy", "goodbye")
VOICE = {"espeak-ng": fetch.espeak_ng, "sox": fetch.sox}


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prompts in Ukrainian: the apology, the busy message and a greeting."""
    folder = tmp_path_factory.mktemp("sounds")
    write_prompt(folder / "uk" / "sorry.wav", (400, 900, 500, 1300))
    write_prompt(folder / "uk" / "busy.wav", (1500, 700, 1100, 600))
    write_prompt(folder / "uk" / "greeting.wav", (800, 1200, 450, 1000, 650))
    return folder


@pytest.fixture(scope="session")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All prompts of all languages, made by the command that operators use."""
    folder = tmp_path_factory.mktemp("spoken")
    espeak, sox = (shlex.join(peer_of(VOICE, name).argv) for name in VOICE)
    done = CliRunner().invoke(
        cli, ["prompts", "make", "--into", str(folder), "--espeak", espeak, "--sox", sox]
    )
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture(scope="session")
def brisk(spoken: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The prompts, but with short recordings in place of most sentences."""
    folder = tmp_path_factory.mktemp("brisk")
    for language in spoken.iterdir():
        shutil.copytree(language, folder / language.name)
        for at, name in enumerate(name for name in prompts.SENTENCES if name not in SPOKEN):
            write_prompt(folder / language.name / f"{name}.wav", (400 + 60 * at, 2400 - 50 * at))
    return folder
