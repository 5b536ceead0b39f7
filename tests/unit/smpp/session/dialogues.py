"""Dialogues brought to a phase, and an SMSC's PDUs to say to them: no socket, no clock."""

from __future__ import annotations

from typing import Any, NamedTuple

from config.link_settings import LinkSettings
from smpp.protocol import codec, wire
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import DeliverSm, SubmitSm
from smpp.session.counters import Tally
from smpp.session.dialogue import Dialogue

DEADLINE_S = 10.0
ANSWER = SubmitSm("4040", 3, 0, "380671234567", 1, 1, 0, 0, b"thank you", 1)


class Said(NamedTuple):
    """A PDU of the gateway, without its body."""

    command: int
    status: int
    sequence: int


def dialogue(
    kind: BindKind = BindKind.TRANSCEIVER,
    *,
    max_unanswered: int = 100,
    inactivity_s: float = 0.0,
    **changes: Any,
) -> tuple[Dialogue, Tally]:
    """Connected at 0; its bind is sequence number 1."""
    given: dict[str, Any] = {"name": "peer", "host": "peer", "system_id": "undercap", "password": "secret"}
    tally = Tally()
    made = Dialogue(
        LinkSettings(**(given | changes)),
        kind,
        tally,
        max_unanswered=max_unanswered,
        inactivity_s=inactivity_s,
    )
    assert read([made.begin(0.0)]) == [Said(kind.command, 0, 1)]
    return made, tally


def bound(kind: BindKind = BindKind.TRANSCEIVER, **given: Any) -> tuple[Dialogue, Tally]:
    """As above, the bind accepted at 0."""
    made, tally = dialogue(kind, **given)
    assert made.hear(codec.encode_bind_resp(kind, 0, 1, "smsc"), 0.0) == ([], [], [], True)
    return made, tally


def unbinding() -> tuple[Dialogue, Tally]:
    """It has said unbind with sequence number 2 at 0."""
    made, tally = bound()
    assert read(made.stop(DEADLINE_S, 0.0)) == [Said(codec.UNBIND, 0, 2)]
    return made, tally


def read(said: list[bytes]) -> list[Said]:
    """The PDUs in what was said; whole ones and nothing else."""
    octets = b"".join(said)
    found = []
    while octets:
        length, command, status, sequence = wire.HEADER.unpack_from(octets)
        assert 16 <= length <= len(octets)
        found.append(Said(command, status, sequence))
        octets = octets[length:]
    return found


def deliver(sequence: int, body: bytes = b"CODE") -> bytes:
    """A text from a shopper."""
    octets = wire.encode_deliver(DeliverSm(sequence, "380671234567", 1, 1, "4040", 0, 0, body), dest_ton=3)
    assert isinstance(octets, bytes)
    return octets


def data_sm(sequence: int) -> bytes:
    """The same by data_sm."""
    body = b"\0\1\x01380671234567\0\3\x004040\0\0\0\0" + b"\x04\x24\0\x04CODE"
    return wire.HEADER.pack(16 + len(body), wire.DATA_SM, 0, sequence) + body


def header(command: str, sequence: int, status: int = 0, body: bytes = b"") -> bytes:
    """Any PDU."""
    return wire.HEADER.pack(16 + len(body), codec.COMMANDS[command], status, sequence) + body
