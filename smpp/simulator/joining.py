"""What a handset makes of the gateway's submits: whole texts, with how they travelled. Bounded, in memory."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from gateway.domain.sms import segments
from gateway.domain.sms.data_coding import decode_body
from smpp.protocol import concatenation
from smpp.protocol.pdus import SubmitSm

_MOST_WAITING = 256


class Reply(NamedTuple):
    """A text for a handset, whole. `segments` is what the operator bills."""

    source: str
    destination: str
    text: str
    data_coding: int
    segments: int

    def __repr__(self) -> str:
        """Names no number and no text."""
        return f"Reply(data_coding={self.data_coding}, segments={self.segments})"


class Joining:
    """Collects parts; texts whose parts never come are pushed out by later ones."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str, int, int], dict[int, bytes]] = OrderedDict()

    def take(self, pdu: SubmitSm) -> Reply | None:
        """The text that `pdu` is or completes; None while parts are missing."""
        part, body = None, pdu.body
        if pdu.esm_class & concatenation.UDH_INDICATOR:
            split = concatenation.split_header(pdu.body)
            part, body = (split.part, split.rest) if split else (None, pdu.body)
        if part is None:
            text = decode_body(body, pdu.data_coding, "gsm7")
            return _reply(pdu, text, len(segments.split(text).parts))
        key = (pdu.source, pdu.destination, part.reference, part.total)
        parts = self._waiting.setdefault(key, {})
        parts[part.number] = body
        if len(parts) < part.total:
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            return None
        del self._waiting[key]
        whole = b"".join(parts[number] for number in sorted(parts))
        return _reply(pdu, decode_body(whole, pdu.data_coding, "gsm7"), part.total)


def _reply(pdu: SubmitSm, text: str, count: int) -> Reply:
    return Reply(pdu.source, pdu.destination, text, pdu.data_coding, count)
