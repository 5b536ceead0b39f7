"""The PDUs of a session's life, by smpplib: binds, unbind, enquire_link. The one file that knows smpplib.

The PDUs of every message are in smpp.protocol.wire. All functions are total on what the peer sends: what
smpplib cannot read gives a `Malformed` or an empty value, never its exceptions.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import StrEnum
from typing import Any, Final, NamedTuple

from smpplib import command_codes, consts, exceptions, smpp

from smpp.protocol import statuses
from smpp.protocol.pdus import Malformed

COMMANDS: Final[dict[str, int]] = dict(command_codes.commands)

GENERIC_NACK: Final = COMMANDS["generic_nack"]
UNBIND: Final = COMMANDS["unbind"]
UNBIND_RESP: Final = COMMANDS["unbind_resp"]
ENQUIRE_LINK: Final = COMMANDS["enquire_link"]
ENQUIRE_LINK_RESP: Final = COMMANDS["enquire_link_resp"]
ALERT_NOTIFICATION: Final = COMMANDS["alert_notification"]
OUTBIND: Final = COMMANDS["outbind"]
VERSION: Final = 0x34  # interface_version (5.2.4)
KNOWN_COMMANDS: Final = frozenset(COMMANDS.values())

# smpplib has no types.
_make_pdu: Final[Callable[..., Any]] = smpp.make_pdu
_parse_pdu: Final[Callable[..., Any]] = smpp.parse_pdu

# What smpplib lets through when a PDU is cut or garbled.
_UNREADABLE: Final = (
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    exceptions.UnknownCommandError,
)


class BindKind(StrEnum):
    """What a bind may do (SMPP 3.4, 2.2): take messages, submit them, or both."""

    TRANSCEIVER = "transceiver"
    RECEIVER = "receiver"
    TRANSMITTER = "transmitter"

    @property
    def receives(self) -> bool:
        """Messages come in over this bind."""
        return self is not BindKind.TRANSMITTER

    @property
    def submits(self) -> bool:
        """Messages go out over this bind."""
        return self is not BindKind.RECEIVER

    @property
    def command(self) -> int:
        """command_id of the request that asks for this bind."""
        return COMMANDS[f"bind_{self.value}"]


class AddressRange(NamedTuple):
    """The addresses that a bind serves (SMPP 3.4, 4.1.1, 5.2.7); empty: as the SMSC has it."""

    ton: int = 0
    npi: int = 0
    pattern: str = ""


ANY_ADDRESS: Final = AddressRange()


class BindRequest(NamedTuple):
    """A bind as the SMSC's side reads it."""

    kind: BindKind
    sequence: int
    system_id: str
    password: str
    system_type: str
    interface_version: int = VERSION
    serves: AddressRange = ANY_ADDRESS

    def __repr__(self) -> str:
        """Without the password."""
        return f"BindRequest({self.kind}, {self.system_id})"


def encode_bind(
    kind: BindKind,
    sequence: int,
    system_id: str,
    password: str,
    system_type: str,
    *,
    interface_version: int = VERSION,
    serves: AddressRange = ANY_ADDRESS,
) -> bytes:
    """A bind request (SMPP 3.4, 4.1). A transmitter serves no addresses: none are told for it (4.1.1)."""
    ton, npi, pattern = serves if kind.receives else ANY_ADDRESS
    return _encode(
        f"bind_{kind.value}",
        sequence,
        system_id=system_id,
        password=password,
        system_type=system_type,
        interface_version=interface_version,
        addr_ton=ton,
        addr_npi=npi,
        address_range=pattern,
    )


def decode_bind(pdu: bytes) -> BindRequest | Malformed:
    """Read a bind request, for the SMSC's side."""
    kind = next((k for k in BindKind if k.command == int.from_bytes(pdu[4:8], "big")), None)
    if kind is None:
        return Malformed(statuses.RINVCMDID)
    try:
        read = _parse(pdu)
        serves = AddressRange(int(read.addr_ton), int(read.addr_npi), _text(read.address_range))
        return BindRequest(
            kind,
            int(read.sequence),
            _text(read.system_id),
            _text(read.password),
            _text(read.system_type),
            int(read.interface_version),
            serves,
        )
    except _UNREADABLE:
        return Malformed(statuses.RINVCMDLEN)


def encode_bind_resp(kind: BindKind, status: int, sequence: int, system_id: str) -> bytes:
    """The SMSC's answer to a bind."""
    return _encode(f"bind_{kind.value}_resp", sequence, status=status, system_id=system_id)


def decode_bind_resp(pdu: bytes) -> str:
    """The SMSC's system_id in its answer to our bind; "" if it gave none that can be read.

    The outcome of the bind stands in the header, so a garbled body changes nothing.
    """
    try:
        return _text(_parse(pdu).system_id)
    except _UNREADABLE:
        return ""


def encode_enquire_link(sequence: int) -> bytes:
    """Ask the peer whether it is alive (4.11)."""
    return _encode("enquire_link", sequence)


def encode_enquire_link_resp(sequence: int) -> bytes:
    """Say that we are."""
    return _encode("enquire_link_resp", sequence)


def encode_unbind(sequence: int) -> bytes:
    """Ask to end the session (4.2)."""
    return _encode("unbind", sequence)


def encode_unbind_resp(sequence: int) -> bytes:
    """Agree to end it."""
    return _encode("unbind_resp", sequence)


def status_name(status: int) -> str:
    """A command_status in words, for the operator."""
    words: str | None = consts.DESCRIPTIONS.get(status)
    return f"0x{status:08x} ({words})" if words else f"0x{status:08x}"


def _encode(command: str, sequence: int, **fields: Any) -> bytes:
    # Given as an argument it only keeps smpplib from asking a client for one; it must be set afterwards, as
    # must what smpplib sets by itself: interface_version.
    pdu = _make_pdu(command, sequence=sequence, **fields)
    for name, value in {"sequence": sequence, **fields}.items():
        setattr(pdu, name, value)
    return bytes(pdu.generate())


def _parse(pdu: bytes) -> Any:
    return _parse_pdu(pdu, sequence=0, allow_unknown_opt_params=True)


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else ""
