"""Long messages and ports on the wire: user data headers and optional parameters.

3GPP TS 23.040, 9.2.3.24; SMPP 3.4, 5.3.2.20 to 24.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from smpp.protocol.pdus import Part

UDH_INDICATOR: Final = 0x40  # of esm_class

_CONCATENATED_8: Final = 0x00
_CONCATENATED_16: Final = 0x08
_PORTS_8: Final = 0x04  # destination and source port, of an application on the phone
_PORTS_16: Final = 0x05
_DESTINATION_PORT: Final = 0x020B
_SAR_REFERENCE: Final = 0x020C
_SAR_TOTAL: Final = 0x020E
_SAR_NUMBER: Final = 0x020F


class UserData(NamedTuple):
    """What a user data header says, and what stands behind it."""

    part: Part | None
    port: int | None  # to which it is addressed
    rest: bytes


def split_header(user_data: bytes) -> UserData | None:
    """The part and the port that the user data header names, and the user data behind the header.

    None if the header is longer than the message. A concatenation element that contradicts itself is
    ignored, as 9.2.3.24.1 asks; other elements are of no interest.
    """
    if not user_data or user_data[0] >= len(user_data):
        return None
    end = 1 + user_data[0]
    part = port = None
    at = 1
    while at + 2 <= end:
        kind, size = user_data[at], user_data[at + 1]
        value = user_data[at + 2 : min(at + 2 + size, end)]
        if kind == _CONCATENATED_8 and size == len(value) == 3:
            part = _part(value[0], value[1], value[2])
        elif kind == _CONCATENATED_16 and size == len(value) == 4:
            part = _part(value[0] << 8 | value[1], value[2], value[3])
        elif kind == _PORTS_16 and size == len(value) == 4:
            port = value[0] << 8 | value[1]
        elif kind == _PORTS_8 and size == len(value) == 2:
            port = value[0]
        at += 2 + size
    return UserData(part, port, user_data[end:])


def header(part: Part, *, wide: bool = False) -> bytes:
    """The user data header of one part; `wide` takes the 16-bit reference."""
    if wide:
        return b"\x06\x08\x04" + bytes((part.reference >> 8 & 0xFF, part.reference & 0xFF, *part[1:]))
    return b"\x05\x00\x03" + bytes((part.reference & 0xFF, part.total, part.number))


def from_parameters(tlvs: Mapping[int, bytes]) -> Part | None:
    """The part that sar_msg_ref_num, sar_total_segments and sar_segment_seqnum name, if all three do."""
    try:
        values = tlvs[_SAR_REFERENCE], tlvs[_SAR_TOTAL], tlvs[_SAR_NUMBER]
    except KeyError:
        return None
    return _part(*(int.from_bytes(value[-2:], "big") for value in values))


def port_of(tlvs: Mapping[int, bytes]) -> int | None:
    """The port that destination_port names."""
    value = tlvs.get(_DESTINATION_PORT)
    return int.from_bytes(value[-2:], "big") if value else None


def _part(reference: int, total: int, number: int) -> Part | None:
    # A message of one part is whole: nothing to wait for.
    return Part(reference, total, number) if 2 <= total <= 255 and 1 <= number <= total else None
