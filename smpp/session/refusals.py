"""What is said to requests that an ESME does not serve (SMPP 3.4, 2.2 and 4.3). Pure."""

from __future__ import annotations

from typing import Final

from smpp.protocol import codec, statuses, wire

# Requests that have no response (4.1.7, 4.12): nothing can be said to them.
_WITHOUT_RESPONSE: Final = frozenset((codec.OUTBIND, codec.ALERT_NOTIFICATION))


def refuse(command: int, sequence: int) -> tuple[bytes, str]:
    """The octets for a request that this session does not take, and the name of its counter.

    A command that SMPP 3.4 knows gets its own response with ESME_RINVBNDSTS: it is for another kind of bind
    or for an SMSC. Any other gets a generic_nack with ESME_RINVCMDID. A response gets nothing.
    """
    if command & wire.RESPONSE:
        return b"", "strays"
    if command in _WITHOUT_RESPONSE:
        return b"", "wrong_state"
    if command in codec.KNOWN_COMMANDS:
        return wire.encode_header(command | wire.RESPONSE, statuses.RINVBNDSTS, sequence), "wrong_state"
    return nack(statuses.RINVCMDID, sequence), "unknown_commands"


def nack(status: int, sequence: int) -> bytes:
    """A generic_nack (4.3)."""
    return wire.encode_header(codec.GENERIC_NACK, status, sequence)
