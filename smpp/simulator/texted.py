"""Which codes on the page have been texted, and by whom: remembered across restarts, by place in the list.

The file names no code: a place in the campaign's list, the holder of the handset, and a checksum of the list,
so that another list starts afresh.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path


class TextedCodes:
    """`path`: where it is remembered; it need not exist, and a file that cannot be used counts as none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._codes: tuple[str, ...] = ()
        self._holders: dict[int, str] = {}

    def use(self, codes: Sequence[str]) -> None:
        """From now on it is about these codes, as printed."""
        self._codes = tuple(_bare(code) for code in codes)
        self._holders = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            kept = json.loads(self._path.read_text(encoding="utf-8"))
            if kept["list"] == self._checksum():
                self._holders = {int(place): str(holder) for place, holder in kept["texted"].items()}

    def mark(self, text: str, holder: str) -> bool:
        """`holder` texted `text`. True when it has a code in it that nobody had texted yet."""
        bare = _bare(text)
        fresh = [
            place for place, code in enumerate(self._codes) if code in bare and place not in self._holders
        ]
        if fresh:
            self._holders |= dict.fromkeys(fresh, holder)
            self._remember()
        return bool(fresh)

    def holder(self, place: int) -> str:
        """Who texted the code at this place first; "" when nobody has."""
        return self._holders.get(place, "")

    def _remember(self) -> None:
        content = {"list": self._checksum(), "texted": self._holders}
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk costs only the marks
            fresh.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
            fresh.replace(self._path)

    def _checksum(self) -> int:
        return zlib.crc32("\n".join(self._codes).encode("utf-8", "replace"))


def _bare(text: str) -> str:
    return "".join(c for c in text.upper() if c.isalnum())
