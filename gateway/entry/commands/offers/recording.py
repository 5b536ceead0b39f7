"""`undercap recording`: what a firm lets be said in its calls."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from config.texts import LANGUAGES
from gateway.domain.offers.recording import MOST_WORDS, Source
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing
from gateway.entry.commands.tables import Listing
from gateway.entry.wiring.backing import Backing
from gateway.entry.wiring.recording import studio
from gateway.store.calls import recordings
from gateway.store.calls.recordings import InUse, NameTaken, New, Recording, TooMany
from gateway.usecases.firms import set_up
from ivr.recordings import told
from ivr.recordings.studio import NotHere, NotUsable, Sound, Studio

FIRM = click.option("--firm", required=True, metavar="SLUG")
NAME = click.option("--name", required=True, help="Once a language.")
LANGUAGE = click.option("--language", required=True, type=click.Choice(list(LANGUAGES)))


@click.group()
def recording() -> None:
    """Recordings: what a firm lets be said in its calls, half a second to a minute each."""


@recording.command()
@FIRM
@NAME
@LANGUAGE
@click.argument("wav", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def add(firm: str, name: str, language: str, wav: Path) -> None:
    """Add WAV, a file of any rate, channels and bits; prints its id.

    \b
    Example:
      undercap recording add --firm cola --name intro --language uk intro.wav
    """
    _add(firm, name, language, lambda at: at.convert(wav.read_bytes()), None)


@recording.command()
@FIRM
@NAME
@LANGUAGE
@click.argument("words")
def say(firm: str, name: str, language: str, words: str) -> None:
    """Let WORDS be spoken by espeak-ng; prints the recording's id.

    \b
    Example:
      undercap recording say --firm cola --name intro --language en "Hello! Cola calls you."
    """
    if len(words) > MOST_WORDS or not words.strip() or not words.isprintable():
        raise click.BadParameter(f"1 to {MOST_WORDS} characters on one line", param_hint="WORDS")
    _add(firm, name, language, lambda at: at.speak(words, language), words)


@recording.command(name="list")
@FIRM
@tables.JSON
def list_(firm: str, as_json: bool) -> None:
    """The firm's recordings, the newest first."""
    made = tables.moment("made (UTC)", "created_at")
    listing = Listing("recordings", "id", "name", "language", "source", "words", "seconds", made)
    with backing() as opened:
        for found in recordings.of_firm(opened.engine, _firm(opened, firm)):
            listing.add(**told.recording(found))
    tables.show(listing, as_json=as_json)


@recording.command()
@FIRM
@click.argument("recording_id", type=int)
@click.option(
    "--into",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A WAV file. Default: the standard output, for a player.",
)
def play(firm: str, recording_id: int, into: Path | None) -> None:
    """Give a recording as it is heard on the telephone.

    \b
    Example:
      undercap recording play --firm cola 7 | aplay
    """
    with backing() as opened:
        found = _find(opened, firm, recording_id)
        sound = recordings.sound(opened.engine, found.id) or b""
    if into is not None:
        into.write_bytes(sound)
    elif sys.stdout.isatty():
        raise click.UsageError("a terminal plays no sound: give --into FILE, or pipe it into a player")
    else:
        sys.stdout.buffer.write(sound)


@recording.command()
@FIRM
@click.argument("recording_id", type=int)
def remove(firm: str, recording_id: int) -> None:
    """Forget a recording that no blast is to say any more."""
    with backing() as opened:
        found = _find(opened, firm, recording_id)
        try:
            recordings.remove(opened.engine, found.firm_id, found.id)
        except InUse as err:
            raise click.ClickException(f"{err}: cancel it first, or wait for its end") from err
    click.echo(f"recording {recording_id} is gone")


def _add(firm: str, name: str, language: str, make: Callable[[Studio], Sound], words: str | None) -> None:
    with backing() as opened:
        firm_id = _firm(opened, firm)
        try:
            sound = make(studio(opened.settings.ivr))
            made = recordings.add(
                opened.engine,
                New(
                    firm_id=firm_id,
                    name=name,
                    language=language,
                    source=Source.UPLOADED if words is None else Source.SPOKEN,
                    words=words,
                    wav=sound.wav,
                    milliseconds=sound.milliseconds,
                ),
                int(time.time() * 1000),
            )
        except NameTaken as err:
            raise click.ClickException(f"there is a recording {name!r} in {language} already") from err
        except TooMany as err:
            raise click.ClickException(f"there are {recordings.MOST_OF_FIRM} recordings already") from err
        except (NotUsable, NotHere) as err:
            raise click.ClickException(str(err)) from err
    click.echo(f"recording {made.id}: {made.milliseconds / 1000:.1f} seconds")


def _firm(opened: Backing, slug: str) -> int:
    with opened.engine.connect() as connection:
        return set_up.firm_id(connection, slug)


def _find(opened: Backing, firm: str, recording_id: int) -> Recording:
    found = recordings.find(opened.engine, _firm(opened, firm), recording_id)
    if found is None:
        raise click.ClickException(f"there is no recording {recording_id}: see `undercap recording list`")
    return found
