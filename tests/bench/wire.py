"""SMPP 3.4 bytes of the load generator: written by hand with `struct`, no code shared with the gateway.

Only what an SMSC under load needs, at the least cost: a `deliver_sm` is encoded once before the run, a
`submit_sm` is read no further than its text. Section numbers are those of SMPP 3.4 issue 1.2.
"""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = struct.Struct(">IIII")
PAIR: Final = struct.Struct(">II")

BIND_RECEIVER: Final = 0x00000001
BIND_TRANSMITTER: Final = 0x00000002
SUBMIT_SM: Final = 0x00000004
DELIVER_SM: Final = 0x00000005
UNBIND: Final = 0x00000006
BIND_TRANSCEIVER: Final = 0x00000009
ENQUIRE_LINK: Final = 0x00000015
RESPONSE: Final = 0x80000000
GENERIC_NACK: Final = 0x80000000

ROK: Final = 0
RINVCMDID: Final = 0x3

GSM: Final = 0
UCS2: Final = 8

ESM_RECEIPT: Final = 0x04
ESM_UDHI: Final = 0x40

MAX_PDU: Final = 65_552


class Submit(NamedTuple):
    """What the generator needs of a `submit_sm` (4.4.1)."""

    source: bytes
    destination: bytes
    esm_class: int
    registered_delivery: int
    data_coding: int
    text: bytes


def pdu(command: int, status: int, sequence: int, body: bytes = b"") -> bytes:
    """A whole PDU (3.2)."""
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def deliver_sm(
    *, source: bytes, destination: bytes, text: bytes, coding: int, sequence: int, esm_class: int = 0
) -> bytes:
    """A `deliver_sm` (4.6.1) from an international number to a short one; `text` at most 254 bytes."""
    body = b"\x00\x01\x01%b\x00\x03\x00%b\x00%c\x00\x00\x00\x00\x00\x00%c\x00%c%b" % (
        source,
        destination,
        esm_class,
        coding,
        len(text),
        text,
    )
    return pdu(DELIVER_SM, 0, sequence, body)


def read_submit(data: bytes, start: int, end: int) -> Submit:
    """Read the `submit_sm` whose body is `data[start:end]`.

    Raises ValueError (bytes.index) or IndexError where a field is missing.
    """
    at = data.index(0, start, end) + 3  # service_type, then TON and NPI
    stop = data.index(0, at, end)
    source = data[at:stop]
    at = stop + 3
    stop = data.index(0, at, end)
    destination = data[at:stop]
    esm_class = data[stop + 1]
    at = data.index(0, stop + 4, end)  # schedule_delivery_time
    at = data.index(0, at + 1, end)  # validity_period
    registered, coding, length = data[at + 1], data[at + 3], data[at + 5]
    return Submit(source, destination, esm_class, registered, coding, data[at + 6 : at + 6 + length])


def is_last_part(submit: Submit) -> bool:
    """Whether this is a whole message or the last part of one (3GPP TS 23.040, 9.2.3.24.1 and .8)."""
    if not submit.esm_class & ESM_UDHI:
        return True
    text = submit.text
    at = 1
    while at < 1 + text[0]:
        if text[at] in (0x00, 0x08):
            return text[at + text[at + 1]] == text[at + 1 + text[at + 1]]
        at += 2 + text[at + 1]
    return True


def receipt(submit: Submit, message_id: bytes, sequence: int) -> bytes:
    """The delivery receipt (appendix B, with TLVs 0x001E and 0x0427) that says DELIVRD."""
    text = (
        b"id:%b sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:DELIVRD err:000 text:"
        % message_id
    )
    plain = deliver_sm(
        source=submit.destination,
        destination=submit.source,
        text=text,
        coding=GSM,
        sequence=sequence,
        esm_class=ESM_RECEIPT,
    )
    tlvs = b"\x00\x1e%b%b\x00\x04\x27\x00\x01\x02" % ((len(message_id) + 1).to_bytes(2), message_id)
    return (len(plain) + len(tlvs)).to_bytes(4) + plain[4:] + tlvs
