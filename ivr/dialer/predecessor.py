"""Who dialled here before: the name of a dialer stands in a file while it runs, and after it was killed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from gateway.store.files import private_file
from gateway.store.files.private_file import OpenToOthers

_NAME: Final = re.compile(r"[0-9a-f]{1,40}")


def succeed(place: Path, name: str) -> str:
    """Put `name` into the file; who stood there, "" for nobody. Raises OSError.

    To be called once the place is known to be free: whoever stands there has ended, however it did.
    """
    try:
        before = private_file.read(place).strip()
    except (FileNotFoundError, OpenToOthers):
        before = ""
    private_file.replace(place, f"{name}\n")
    return before if _NAME.fullmatch(before) else ""
