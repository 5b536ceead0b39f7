"""A call that Asterisk is to make; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ivr.ami import hangup
from ivr.ami.faults import Unsendable

NUMBER: Final = re.compile(r"\+?[0-9]{3,15}")
NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")  # of a trunk, a context, an extension
GRACE_S: Final = 2.0  # for the second of two events: an unknown endpoint never sends a Hangup


@dataclass(frozen=True, slots=True, kw_only=True)
class Originate:
    """Whom to call, and what is to be done when he answers. Raises Unsendable.

    `channel`: by `over_trunk` or `to_ourselves`. `ring_s`: for so long it may ring; `talk_s`: the most that a
    call may last after the answer. `caller_number`: what the callee sees.
    """

    channel: str
    context: str
    exten: str = "s"
    caller_number: str = ""
    ring_s: float = 30.0
    talk_s: float = 300.0
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _must(NAME, self.context, "context")
        _must(NAME, self.exten, "exten")
        if self.caller_number:
            _must(NUMBER, self.caller_number, "caller_number")

    @property
    def deadline_s(self) -> float:
        """Within which it must have ended, whatever happens."""
        return self.ring_s + self.talk_s + GRACE_S

    def fields(self, call_id: str) -> dict[str, str]:
        """Of the action. `call_id` comes back in OriginateResponse, and is the Uniqueid of the channel."""
        told = {
            "ActionID": call_id,
            "ChannelId": call_id,
            "Channel": self.channel,
            "Context": self.context,
            "Exten": self.exten,
            "Priority": "1",
            "Timeout": str(round(self.ring_s * 1000)),
            "Async": "true",
            "Variable": f"{hangup.HANDLER},{hangup.MOVED}",
        }
        if self.caller_number:
            told["CallerID"] = self.caller_number
        return told


def over_trunk(number: str, trunk: str) -> str:
    """The channel to a telephone number over a trunk of pjsip.conf. Raises Unsendable."""
    return f"PJSIP/{_must(NUMBER, number, 'number')}@{_must(NAME, trunk, 'trunk')}"


def to_ourselves(context: str, exten: str) -> str:
    """The channel to an extension of Asterisk itself. Raises Unsendable."""
    return f"Local/{_must(NAME, exten, 'exten')}@{_must(NAME, context, 'context')}"


def _must(pattern: re.Pattern[str], value: str, name: str) -> str:
    if not pattern.fullmatch(value):
        raise Unsendable(name)
    return value
