"""Prompts and Asterisks that the tests of calls share."""

from __future__ import annotations

import array
import math
import shlex
import shutil
import wave
from pathlib import Path

import pytest
from click.testing import CliRunner

from config import prompts
from gateway.entry.cli import cli
from tests.conftest import ASTERISKS, peer_of
from tests.peers import fetch
from tests.peers.fetch import AsteriskProgram

RATE = 8000
# What stays as it is spoken where other sentences are cut short.
SPOKEN = ("activated", "language_set", "withheld", "sorry", "busy", "goodbye")
VOICE = {"espeak-ng": fetch.espeak_ng, "sox": fetch.sox}


def write_prompt(file: Path, pitches: tuple[int, ...]) -> None:
    """A prompt that can be told from others: each pitch (Hz) sounds for an eighth of a second."""
    sound = array.array("h")
    for pitch in pitches:
        turn = 2 * math.pi * pitch / RATE
        sound.extend(round(9000 * math.sin(turn * at)) for at in range(RATE // 8))
    file.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(file), "wb") as into:
        into.setnchannels(1)
        into.setsampwidth(2)
        into.setframerate(RATE)
        into.writeframes(sound.tobytes())


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of prompts in Ukrainian: the apology, the busy message and a greeting."""
    folder = tmp_path_factory.mktemp("sounds")
    write_prompt(folder / "uk" / "sorry.wav", (400, 900, 500, 1300))
    write_prompt(folder / "uk" / "busy.wav", (1500, 700, 1100, 600))
    write_prompt(folder / "uk" / "greeting.wav", (800, 1200, 450, 1000, 650))
    return folder


@pytest.fixture(scope="session", params=sorted(ASTERISKS))
def asterisk_program(request: pytest.FixtureRequest) -> AsteriskProgram:
    """Each Asterisk in turn."""
    return peer_of(ASTERISKS, request.param)


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
