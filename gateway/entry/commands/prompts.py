"""`undercap prompts`: what callers hear, as sound files and as a list for a studio."""

from __future__ import annotations

import csv
import shlex
import sys
from pathlib import Path

import click

from config import prompts as texts
from config import settings as settings_module
from config.prompts import PromptError
from config.texts import LANGUAGES
from ivr.prompts.make import make as make_files
from ivr.prompts.program import ProgramError
from ivr.prompts.voice import Voice

Languages = click.Choice(list(LANGUAGES))


@click.group()
def prompts() -> None:
    """What callers hear: sound files, and the texts for a studio."""


@prompts.command()
@click.option(
    "--into",
    type=click.Path(path_type=Path, file_okay=False),
    help="Directory; one of each language in it. Default: ivr.sounds_dir of the settings.",
)
@click.option("--language", "languages", type=Languages, multiple=True, help="May be given several times.")
@click.option("--force", is_flag=True, help="Make files in place of a studio's recordings, too.")
@click.option("--espeak", default="espeak-ng", show_default=True, metavar="COMMAND")
@click.option("--sox", default="sox", show_default=True, metavar="COMMAND")
def make(into: Path | None, languages: tuple[str, ...], force: bool, espeak: str, sox: str) -> None:
    """Make what is missing or outdated with espeak-ng and sox: 8 kHz, mono, wav.

    A file that we have not made stays: put a studio's recording in its place under the same name.
    """
    directory = into or settings_module.load().ivr.sounds_dir
    voice = Voice(espeak=_words(espeak, "--espeak"), sox=_words(sox, "--sox"))
    try:
        done = make_files(directory, languages or LANGUAGES, voice, force=force)
    except (ProgramError, PromptError) as err:
        raise click.ClickException(str(err)) from err
    except OSError as err:
        raise click.ClickException(f"{err.filename or directory}: {err.strerror}") from err
    for each in done:
        click.echo(f"{each.language}: {each.made} made, {each.current} up to date, {each.recorded} recorded")
    click.echo(f"in {directory.resolve()}")


@prompts.command(name="list")
@click.option("--language", "languages", type=Languages, multiple=True, help="May be given several times.")
def list_(languages: tuple[str, ...]) -> None:
    """All texts as CSV: name, language, text. Record each as LANGUAGE/NAME.wav."""
    rows = csv.writer(sys.stdout)
    rows.writerow(("name", "language", "text"))
    for language in languages or LANGUAGES:
        rows.writerows((name, language, text) for name, text in texts.load(language).items())


def _words(command: str, option: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(command))
    except ValueError as err:
        raise click.BadParameter(f"{err}", param_hint=option) from err
    if not words:
        raise click.BadParameter("is empty", param_hint=option)
    return words
