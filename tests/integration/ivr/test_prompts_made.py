"""`undercap prompts`, run as an operator runs it: files for the telephone, recordings kept, faults told."""

from __future__ import annotations

import csv
import io
import shlex
import wave
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from config import prompts
from config.texts import LANGUAGES
from gateway.entry.cli import cli
from ivr.prompts.make import missing

# Voices that take no time: the "speech" is the text itself, and sox only passes it on.
ESPEAK = """printf '%s ' "$@" """
SOX = """for word; do case $word in *.wav) cat > "$word";; esac; done"""


def undercap(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["prompts", *arguments])


def make(into: Path, *arguments: str, espeak: str = ESPEAK, sox: str = SOX) -> Result:
    """Made by stand-ins of the two programs, in one language."""
    commands = [shlex.join(["sh", "-c", script, "sh"]) for script in (espeak, sox)]
    options = ["--into", str(into), "--language", "en", "--espeak", commands[0], "--sox", commands[1]]
    return undercap("make", *options, *arguments)


def test_the_telephone_s_sound(spoken: Path) -> None:
    """The real programs, all languages (see conftest.py)."""
    assert missing(spoken) == []
    for language in LANGUAGES:
        for name in (*prompts.load(language), prompts.PAUSE):
            with wave.open(str(spoken / language / f"{name}.wav")) as sound:
                assert (sound.getframerate(), sound.getnchannels(), sound.getsampwidth()) == (8000, 1, 2)
                seconds = sound.getnframes() / sound.getframerate()
            least, most = (0.15, 1.6) if name in prompts.NUMBERS else (0.4, 45)
            assert least <= seconds <= most, f"{language}/{name}"


def test_what_is_up_to_date_stays_and_a_recording_is_kept(tmp_path: Path) -> None:
    count = len(prompts.load("en")) + 1
    assert f"en: {count} made, 0 up to date, 0 recorded" in make(tmp_path).output
    recording = tmp_path / "en" / "menu.wav"
    recording.write_bytes(b"a studio's")
    assert f"en: 0 made, {count - 1} up to date, 1 recorded" in make(tmp_path).output
    assert recording.read_bytes() == b"a studio's"
    assert "en: 1 made" in make(tmp_path, "--force").output
    assert recording.read_bytes() != b"a studio's"
    (tmp_path / "en" / "busy.wav").unlink()
    assert "en: 1 made" in make(tmp_path).output


def test_a_changed_text_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path)
    changed = {**prompts.load("en"), "goodbye": "Cheerio!"}
    monkeypatch.setattr(prompts, "load", lambda _: changed)
    assert "en: 1 made" in make(tmp_path).output
    assert "Cheerio!" in (tmp_path / "en" / "goodbye.wav").read_text()


@pytest.mark.parametrize("manifest", ["", "[]", '{"menu": 1}', "\x00", '{"menu": ["a"]}'])
def test_with_a_broken_manifest_nothing_is_lost(tmp_path: Path, manifest: str) -> None:
    make(tmp_path)
    (tmp_path / "en" / "made.json").write_text(manifest)
    assert "en: 0 made, 0 up to date" in make(tmp_path).output


def test_files_can_be_read_by_asterisk_s_user(tmp_path: Path) -> None:
    make(tmp_path)
    assert {file.stat().st_mode & 0o444 for file in (tmp_path / "en").iterdir()} == {0o444}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--espeak", "no-such-espeak"), "no-such-espeak is not installed: `apt install espeak-ng sox`"),
        (("--espeak", "true", "--sox", "no-such-sox"), "name it with --sox"),
        (("--espeak", "false", "--sox", "true"), "false failed: exit code 1"),
        (("--espeak", ""), "is empty"),
        (("--espeak", "'"), "No closing quotation"),
    ],
)
def test_a_program_that_is_not_there_is_named(tmp_path: Path, options: tuple[str, ...], told: str) -> None:
    done = undercap("make", "--into", str(tmp_path), "--language", "en", *options)
    assert done.exit_code != 0
    assert told in done.output
    assert list(tmp_path.glob("en/*.wav")) == []


def test_sox_s_complaint_is_passed_on_and_no_half_file_stays(tmp_path: Path) -> None:
    done = make(tmp_path, sox="echo sox FAIL formats: no room >&2; exit 2")
    assert "sox FAIL formats: no room" in done.output
    assert list(tmp_path.glob("en/*.wav")) == []


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "en").write_text("a file")
    done = make(tmp_path)
    assert done.exit_code == click.ClickException.exit_code
    assert "File exists" in done.output


def test_the_list_for_a_studio() -> None:
    rows = list(csv.DictReader(io.StringIO(undercap("list", "--language", "kk").output)))
    assert {row["name"]: row["text"] for row in rows} == dict(prompts.load("kk"))
    assert {row["language"] for row in rows} == {"kk"}
