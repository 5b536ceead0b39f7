"""Receipts as an SMSC in trouble gives them: sound in several forms, or mangled."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.bench import wire
from tests.soak.weather import Fate

MESSAGE_STATE: Final = {"delivered": (b"DELIVRD", b"000", b"\x02"), "failed": (b"UNDELIV", b"027", b"\x05")}


class Told(NamedTuple):
    """A receipt: its text, its TLVs; `state` is what it makes of the answer, "" where it cannot be read."""

    text: bytes
    tlvs: bytes
    state: str
    form: str


def told(fate: Fate, message_id: bytes, whom: tuple[str, int]) -> Told | None:
    """What is told of a message, decided by its number and which copy it is; None: nothing ever."""
    share = fate.share("receipt", *whom)
    if share < 0.08:
        return None
    if share < 0.14:
        return _mangled(fate, message_id, whom)
    state = "failed" if share < 0.22 else "delivered"
    word, error, number = MESSAGE_STATE[state]
    appendix = (
        b"id:%b sub:001 dlvrd:001 submit date:2401010000 done date:2401010000 stat:%b err:%b text:Code"
        % (message_id, word, error)
    )
    name = b"\x00\x1e%b%b\x00" % ((len(message_id) + 1).to_bytes(2), message_id)
    forms = {
        "text": (appendix, b""),
        "text and parameters": (appendix, name + b"\x04\x27\x00\x01" + number),
        "parameters": (b"", name + b"\x04\x27\x00\x01" + number),
        "another vendor": (b"message_id=%b;status=%b;error=%b" % (message_id, word.title(), error), b""),
        "other order": (b"stat:%b err:%b id:%b" % (word, error, message_id), b""),
    }
    form = fate.pick(tuple(forms), "form of receipt", *whom)
    return Told(*forms[form], state, form)


def _mangled(fate: Fate, message_id: bytes, whom: tuple[str, int]) -> Told:
    forms = {
        "cut off": b"id:%b sub:001 dlvrd:001 subm" % message_id,
        "somebody else's": b"id:nobody-%b sub:001 dlvrd:001 submit date:1 done date:1 stat:DELIVRD err:000"
        % message_id,
        "on its way": b"id:%b sub:001 dlvrd:000 submit date:1 done date:1 stat:ENROUTE err:000" % message_id,
        "garbage": b"\x00\xff\xfe" + message_id[::-1] + b"\x80:;=",
    }
    form = fate.pick(tuple(forms), "mangled", *whom)
    return Told(forms[form], b"", "", form)


def pdu(submit: wire.Submit, what: Told, sequence: int) -> bytes:
    """The `deliver_sm` that brings it."""
    plain = wire.deliver_sm(
        source=submit.destination,
        destination=submit.source,
        text=what.text,
        coding=wire.GSM,
        sequence=sequence,
        esm_class=wire.ESM_RECEIPT,
    )
    return (len(plain) + len(what.tlvs)).to_bytes(4) + plain[4:] + what.tlvs
