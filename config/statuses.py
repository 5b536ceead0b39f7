"""What the SMSC's answer to a submit means for the text: a table in a file, each link's own lines over it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class Refusal(BaseModel):
    """A text that was refused with one status.

    `retries`: how often it is submitted again; None: as long as it may wait; 0: the status is final.
    `delay_s`: before each. `slows`: the link is too fast, the text is good.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    retries: Annotated[int, Field(ge=0, le=1000)] | None = None
    delay_s: Annotated[float, Field(ge=0, le=86_400)] = 0.0
    slows: bool = False


FINAL = Refusal(retries=0)


@cache
def table() -> Mapping[int, Refusal]:
    """The table of the house: command_status -> Refusal. What is not in it is FINAL."""
    read = tomllib.loads(files("config").joinpath("statuses.toml").read_text(encoding="utf-8"))
    return {int(status, 0): Refusal.model_validate(row) for status, row in read.items()}
