"""The running campaign's codes for the page, from a file that is read again when it has changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_MOST_CODES = 60
_DEFAULT_SHORT_NUMBER = "4040"


@dataclass(frozen=True, kw_only=True, slots=True)
class Demo:
    """What the page shows of the campaign. `fault` tells the reader why there are no codes."""

    short_number: str = _DEFAULT_SHORT_NUMBER
    firm: str = ""
    campaign: str = ""
    codes: tuple[str, ...] = ()
    fault: str = ""


class DemoFile:
    """`path`: JSON with short_number, firm, campaign and codes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int, int] | None = None
        self.demo = Demo(fault=self._missing())

    def refresh(self) -> bool:
        """Look at the file again. True when what is to be shown has changed."""
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp:
                return False
            fresh = _parse(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            stamp, fresh = None, Demo(fault=self._missing())
        except (OSError, ValueError) as err:
            # Half written, most likely: what stood stays, and the next look decides.
            stamp = None
            fresh = (
                self.demo if self.demo.codes else Demo(fault=f"{self._path.name} cannot be used: {_why(err)}")
            )
        changed = fresh != self.demo
        self._stamp, self.demo = stamp, fresh
        return changed

    def _missing(self) -> str:
        return (
            f"There is no {self._path.name} yet. `undercap up --demo` makes a firm, a running campaign and "
            "its codes; `undercap codes generate --campaign ID --count 10` makes codes of one of yours."
        )


def _parse(content: Any) -> Demo:
    if not isinstance(content, dict) or not isinstance(content.get("codes"), list):
        raise ValueError("an object with a list `codes` is expected")
    codes = tuple(str(code)[:64] for code in content["codes"][:_MOST_CODES])
    return Demo(
        short_number=str(content.get("short_number", _DEFAULT_SHORT_NUMBER))[:12],
        firm=str(content.get("firm", ""))[:80],
        campaign=str(content.get("campaign", ""))[:80],
        codes=codes,
        fault="" if codes else "The campaign has no codes yet: `undercap codes generate` makes some.",
    )


def _why(err: Exception) -> str:
    # A JSON error's text may quote the file, and the file holds codes.
    return err.strerror or "unreadable" if isinstance(err, OSError) else "it is not the JSON that is expected"
