"""What every part of the settings is: frozen, strict about its keys, and able to read secrets from files."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _words(command: str) -> str:
    if not shlex.split(command):  # raises ValueError where a quote is left open
        raise ValueError("names no program")
    return command


Command = Annotated[str, AfterValidator(_words)]  # a program and its first arguments, quoted as for a shell
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(Exception):
    """The settings cannot be used; the message lists every fault, one a line."""


class Section(BaseModel):
    """A part of the settings; unknown keys are faults, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_S = TypeVar("_S", bound=Section)


def from_files(section: _S, *names: str) -> _S:
    """Fill each setting whose `<name>_file` is given."""
    for name in names:
        file = getattr(section, f"{name}_file")
        if file is not None:
            object.__setattr__(section, name, read_secret(file))
    return section


def read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ValueError(f"{path}: cannot be read: {err.strerror}") from err
