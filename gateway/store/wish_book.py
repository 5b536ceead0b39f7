"""What people asked for in a call and could not be done at once: on this machine's disk until it is.

Redis and SQL may both be away, and our process may end; nobody who pressed the key for "no more offers" may
be called again. A wish is a file of its own, sealed, and done by whichever process finds it: doing one twice
changes nothing.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from gateway.domain.callee import Callee
from gateway.store import private_file
from gateway.store.vault import SealBroken, Vault

FOLDER: Final = "wishes"  # in the state directory
SEAL_WISH: Final = "wish"
_SUFFIX: Final = ".wish"
log = structlog.get_logger()


class Kind(StrEnum):
    """What was asked for."""

    SEND = "send"  # the offer by SMS
    REFUSE = "refuse"  # no more offers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """`at`: when it was asked for, ms since 1970."""

    kind: Kind
    callee: Callee
    at: int


class WishBook:
    """The wishes that wait. `folder`: of all processes on this machine."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault
        self._waiting: dict[str, Wish] = {}

    def open(self) -> None:
        """Take over what has been left. Raises OSError."""
        for file in self._folder.glob(f"*{_SUFFIX}"):
            try:
                self._waiting[file.name] = _read(self._vault.open(SEAL_WISH, b64decode(file.read_bytes())))
            except (SealBroken, ValueError, KeyError, TypeError):
                log.error("a wish cannot be read", file=file.name)

    def keep(self, wish: Wish) -> None:
        """On disk when it returns; where the disk takes nothing, at least until this process ends."""
        name = f"{secrets.token_hex(8)}{_SUFFIX}"
        self._waiting[name] = wish
        said = json.dumps({**asdict(wish.callee), "kind": wish.kind, "at": wish.at})
        try:
            private_file.make(
                self._folder / name, b64encode(self._vault.seal(SEAL_WISH, said.encode())).decode()
            )
        except OSError as err:
            log.error("a wish is not on disk", kind=str(wish.kind), why=err.strerror)

    def waiting(self) -> Iterator[tuple[str, Wish]]:
        """All of them, each by the name for `done`."""
        yield from list(self._waiting.items())

    def done(self, name: str) -> None:
        """Forget one. Raises OSError."""
        self._waiting.pop(name, None)
        (self._folder / name).unlink(missing_ok=True)


def _read(said: bytes) -> Wish:
    told = json.loads(said)
    kind, at = Kind(told.pop("kind")), int(told.pop("at"))
    return Wish(kind=kind, callee=Callee(**told), at=at)
