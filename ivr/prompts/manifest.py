"""Which sound files we have made, from which text: what is not ours is a studio's, and stays."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

NAME: Final = "made.json"


@dataclass(slots=True)
class Manifest:
    """Of one directory. By name of a prompt: digests of what it was made from, and of the file."""

    directory: Path
    made: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Manifest:
        """The directory's. Where it has none that can be read, all files count as a studio's."""
        try:
            told = json.loads((directory / NAME).read_text(encoding="utf-8"))
            made = {str(name): (str(source), str(file)) for name, (source, file) in told.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            made = {}
        return cls(directory, made)

    def write(self) -> None:
        """Keep it; whole or not at all."""
        waiting = self.directory / f".{NAME}"
        waiting.write_text(json.dumps(self.made, indent=1, sort_keys=True), encoding="utf-8")
        waiting.chmod(0o644)
        waiting.replace(self.directory / NAME)

    def is_recorded(self, name: str, file: Path) -> bool:
        """Whether `file` is there and not what we have made."""
        return file.exists() and (name not in self.made or self.made[name][1] != digest(file.read_bytes()))

    def is_current(self, name: str, file: Path, source: str) -> bool:
        """Whether `file` is what we have made from this source."""
        return not self.is_recorded(name, file) and file.exists() and self.made[name][0] == digest(source)


def digest(content: bytes | str) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
