"""Where a session stands, and what it asks its owner to do. Plain values, no octet is read here."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from smpp.protocol.pdus import DeliverSm, Outcome


class Phase(StrEnum):
    """Where a session stands (SMPP 3.4, 2.2). It only ever goes downwards in this list."""

    OPEN = "open"  # connected, the bind is asked for
    BOUND = "bound"
    DRAINING = "draining"  # no new work; we unbind once nothing is in flight
    UNBINDING = "unbinding"  # our unbind is said, its answer awaited
    PARTING = "parting"  # the SMSC unbound or cannot be understood: what is owed leaves, then we close
    OVER = "over"  # nothing is read any more


class Closing(StrEnum):
    """What is to become of the connection."""

    NOT_YET = "not yet"
    POLITELY = "politely"  # once all that is said is written
    AT_ONCE = "at once"


class Step(NamedTuple):
    """What one event asks for, in this order: `said` is written, then the owner is told the others.

    `bound`: the SMSC has just accepted the bind. Whether to close and whether to read is told by
    the dialogue's `course` and `inbox`.
    """

    said: list[bytes]
    messages: list[DeliverSm]
    results: list[Outcome]
    bound: bool = False
