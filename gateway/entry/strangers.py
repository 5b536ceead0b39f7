"""Packages of other people under the names of ours: said before anything of theirs is imported for ours."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

OURS: Final = ("config", "smpp", "ivr", "campaigns")  # beside `gateway`, in which this stands
_CONFIG: Final = 78  # gateway.entry.process.process.Exit.CONFIG, which must not be imported yet


def refuse() -> None:
    """End the program with a line where Python would import another package of one of these names.

    A look into the import path, no import: it takes less than a millisecond.
    """
    home = Path(__file__).resolve().parents[2]
    for name in OURS:
        spec = find_spec(name)
        found = os.path.realpath(spec.origin) if spec is not None and spec.origin else "missing"
        if found != str(home / name / "__init__.py"):
            sys.stderr.write(
                f"undercap: the package `{name}` that Python would take is not Undercap's ({found}): another "
                "distribution or PYTHONPATH has one of this name; give Undercap a virtual environment of its "
                "own (python3 -m venv), and unset PYTHONPATH\n"
            )
            raise SystemExit(_CONFIG)
