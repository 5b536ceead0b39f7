"""Asterisk's files, for an administrator to drop in: README.md beside them tells how."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Final

LOADED: Final = re.compile(r"^load = (\S+\.so)$", re.MULTILINE)


def modules() -> tuple[str, ...]:
    """What modules.conf loads, in its order."""
    return tuple(LOADED.findall(files(__name__).joinpath("modules.conf").read_text(encoding="utf-8")))
