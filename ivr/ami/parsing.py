"""What Asterisk's manager interface says, from octets to packs of headers; pure.

Lines end with CR LF and with nothing else: a caller can write other line breaks into a value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ivr.ami.faults import Garbage

MOST_PACK: Final = 64 * 1024  # octets; an event has some 30 headers of at most 1 KiB
GREETING: Final = re.compile(rb"Asterisk Call Manager/(\d+(?:\.\d+)*)\r\n")
HEADER: Final = re.compile(r"([A-Za-z][A-Za-z0-9_/-]*): ?(.*)", re.DOTALL)
REPEATED: Final = frozenset({"ChanVariable"})  # one a variable, where the administrator has set channelvars


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """An event or an answer. `kind`: Event or Response; `name`: of the event, or Success, Error …"""

    kind: str
    name: str
    headers: Mapping[str, str]


class Packs:
    """Cuts a stream into packs."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, octets: bytes) -> list[bytes]:
        """The packs that are whole now. Raises Garbage when one has no end."""
        *whole, self._rest = (self._rest + octets).split(b"\r\n\r\n")
        if len(self._rest) > MOST_PACK:
            raise Garbage("a pack without an end")
        return whole


def greeted(line: bytes) -> str:
    """The version of the protocol, from the first line. Raises Garbage."""
    found = GREETING.fullmatch(line)
    if found is None:
        raise Garbage("something else than Asterisk's manager interface answers there")
    return found[1].decode("ascii")


def parse(octets: bytes) -> Pack | None:
    """One pack; None when it is none, or is ambiguous: a header that stands twice was written by a caller."""
    headers: dict[str, str] = {}
    for line in octets.split(b"\r\n"):
        found = HEADER.fullmatch(line.decode("utf-8", "replace"))
        if found is None or (found[1] in headers and found[1] not in REPEATED):
            return None
        headers[found[1]] = found[2]
    kind = next(iter(headers))
    if kind not in ("Event", "Response"):
        return None
    return Pack(kind=kind, name=headers.pop(kind), headers=headers)
