"""Delivery receipts as the simulated operator writes them (SMPP 3.4, 5.2.17 and appendix B)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from smpp.protocol.pdus import DeliverSm, SubmitSm

_RECEIPT: Final = 0x04  # of esm_class
_DELIVERED: Final = 2  # message_state
_ON_SUCCESS: Final = 0x01  # of registered_delivery's low two bits: every outcome; 0x02 is failures only


def wanted(registered_delivery: int) -> bool:
    """Whether a delivered message is to be reported."""
    return registered_delivery & 0x03 == _ON_SUCCESS


def delivered(pdu: SubmitSm, message_id: str, now: float) -> DeliverSm:
    """The receipt of a message that reached its handset at `now` (seconds since 1970).

    The text field stays empty: the operator need not quote the message, and so it does not.
    """
    stamp = datetime.fromtimestamp(now, UTC).strftime("%y%m%d%H%M")
    text = (
        f"id:{message_id} sub:001 dlvrd:001 submit date:{stamp} done date:{stamp} stat:DELIVRD err:000 text:"
    )
    return DeliverSm(
        0,
        pdu.destination,
        pdu.dest_ton,
        pdu.dest_npi,
        pdu.source,
        _RECEIPT,
        0,
        text.encode("ascii"),
        receipt=True,
        receipted_message_id=message_id,
        message_state=_DELIVERED,
    )
