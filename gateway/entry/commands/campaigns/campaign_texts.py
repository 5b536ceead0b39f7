"""A campaign's own wording, from a file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click

from config.settings import Settings
from gateway.usecases.firms.set_up import TextLimit


def text_limit(settings: Settings) -> TextLimit:
    """What an answer may take, as these settings have it."""
    return TextLimit(
        segments=settings.answers.max_segments,
        plain=all(link.replace_look_alikes for link in settings.links),
    )


def own_texts(file: Path | None) -> dict[str, dict[str, Any]]:
    """Language -> key -> text; none without a file. Raises ClickException."""
    if file is None:
        return {}
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise click.ClickException(f"{file}: is not TOML: {err}") from err
