"""A PDU as one line for an operator's engineer: what it is, never a whole number and never a text."""

from __future__ import annotations

from typing import Any, Final

import structlog

from config.logging import mask
from smpp.protocol import codec, wire

log = structlog.get_logger()

_NAMES: Final = {number: name for name, number in codec.COMMANDS.items()}
_MESSAGES: Final = {"submit_sm", "deliver_sm", "data_sm"}


def describe(pdu: bytes) -> dict[str, Any]:
    """Fields of one whole PDU, header included. Total: of what cannot be read the header is told.

    Addresses are masked, of a text only its length is told; other bodies by their length.
    """
    length, command, status, sequence = wire.HEADER.unpack_from(pdu)
    name = _NAMES.get(command, f"0x{command:08x}")
    told: dict[str, Any] = {"pdu": name, "seq": sequence, "octets": length}
    if command & wire.RESPONSE:
        told["status"] = f"0x{status:x}"
    if name in _MESSAGES:
        told |= _message(pdu[16:], data=name == "data_sm")
    elif name in ("submit_sm_resp", "data_sm_resp"):
        told["id"] = pdu[16:].partition(b"\0")[0].decode("latin-1")
    return told


def _message(body: bytes, *, data: bool) -> dict[str, Any]:
    """The fields that every message has, in their order (SMPP 3.4, 4.4.1, 4.6.1, 4.7.1)."""
    try:
        _, at = _cstring(body, 0)  # service_type
        source_ton, source_npi = body[at], body[at + 1]
        source, at = _cstring(body, at + 2)
        dest_ton, dest_npi = body[at], body[at + 1]
        destination, at = _cstring(body, at + 2)
        told: dict[str, Any] = {
            "source": f"{source_ton}/{source_npi}/{_address(source)}",
            "destination": f"{dest_ton}/{dest_npi}/{_address(destination)}",
            "esm_class": f"0x{body[at]:02x}",
        }
        if data:
            return told | {"registered": body[at + 1], "data_coding": f"0x{body[at + 2]:02x}"}
        _, at = _cstring(body, at + 3)  # schedule_delivery_time
        validity, at = _cstring(body, at)
        told |= {"registered": body[at], "data_coding": f"0x{body[at + 2]:02x}", "text_octets": body[at + 4]}
        return told | ({"validity": validity} if validity else {})
    except IndexError:
        return {"cut": True}


def _address(text: str) -> str:
    """A short number as it is, anything longer masked."""
    return text if len(text) <= 6 and text.isalnum() else mask(text)


def _cstring(octets: bytes, at: int) -> tuple[str, int]:
    """A C-octet string and where what follows begins. Raises IndexError where the NUL is missing."""
    end = octets.find(b"\0", at)
    if end < 0:
        raise IndexError(at)
    return octets[at:end].decode("latin-1"), end + 1


class Trace:
    """Logs every PDU of one session, both ways, as `describe` tells it."""

    def __init__(self, link: str) -> None:
        self._link = link
        self._rest = b""  # the beginning of a PDU; a stream that has lost its framing is traced no further

    def said(self, pdu: bytes) -> None:
        """One PDU of ours."""
        log.info("pdu", link=self._link, way="out", **describe(pdu))

    def heard(self, data: bytes) -> None:
        """Octets of the SMSC."""
        buffer, start = self._rest + data, 0
        while len(buffer) - start >= 16:
            length = wire.HEADER.unpack_from(buffer, start)[0]
            if not 16 <= length <= wire.MAX_LENGTH:
                buffer = b""
                break
            if start + length > len(buffer):
                break
            log.info("pdu", link=self._link, way="in", **describe(buffer[start : start + length]))
            start += length
        self._rest = buffer[start:]
