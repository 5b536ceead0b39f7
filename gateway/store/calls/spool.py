"""What people asked for in a call and could not be done at once: on this machine's disk until it is.

Redis and SQL may both be away, and our process may end; nobody who pressed the key for "no more offers" may
be called again. A wish is a file of its own, sealed, and done by whichever process finds it: doing one twice
changes nothing. What an erasure has taken from the disk is done by nobody.
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

from gateway.domain.offers.callee import Callee
from gateway.store.files import private_file
from gateway.store.people import spool_files
from gateway.store.people.spool_files import SEAL_WISH
from gateway.store.vault.places import WISHES
from gateway.store.vault.vault import SealBroken, Vault

FOLDER: Final = WISHES.folder  # in the state directory
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
        self._undisked: set[str] = set()  # names of those that the disk did not take

    def open(self) -> None:
        """Take over what has been left. Raises OSError."""
        for name, wish in read(self._folder, self._vault):
            if wish is None:
                log.error("a wish cannot be read", file=name)
            else:
                self._waiting[name] = wish

    def keep(self, wish: Wish) -> None:
        """On disk when it returns; where the disk takes nothing, at least until this process ends."""
        name = f"{secrets.token_hex(8)}{spool_files.SUFFIX}"
        self._waiting[name] = wish
        said = json.dumps({**asdict(wish.callee), "kind": wish.kind, "at": wish.at})
        try:
            private_file.make(
                self._folder / name, b64encode(self._vault.seal(SEAL_WISH, said.encode())).decode()
            )
        except OSError as err:
            self._undisked.add(name)
            log.error("a wish is not on disk", kind=str(wish.kind), why=err.strerror)

    def waiting(self) -> Iterator[tuple[str, Wish]]:
        """All of them, each by the name for `done`; without those of whoever was erased meanwhile."""
        for name, wish in list(self._waiting.items()):
            if name in self._undisked or (self._folder / name).exists():
                yield name, wish
            else:
                del self._waiting[name]

    def done(self, name: str) -> None:
        """Forget one. Raises OSError."""
        self._waiting.pop(name, None)
        self._undisked.discard(name)
        spool_files.remove(self._folder / name)


def read(folder: Path, vault: Vault) -> Iterator[tuple[str, Wish | None]]:
    """The wishes on disk, each by its file's name; None for one that cannot be read. Raises OSError."""
    for file, sealed in spool_files.sealed(folder):
        try:
            yield file.name, _wish(vault.open(SEAL_WISH, sealed))
        except (SealBroken, ValueError, KeyError, TypeError):
            yield file.name, None


def _wish(said: bytes) -> Wish:
    told = json.loads(said)
    kind, at = Kind(told.pop("kind")), int(told.pop("at"))
    return Wish(kind=kind, callee=Callee(**told), at=at)
