"""What happened on a link, counted, and what waits in its sessions, for the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class Load(NamedTuple):
    """What waits in one session, or in all of a link: gauges."""

    unanswered: int = 0  # messages that wait for our answer
    in_flight: int = 0  # submits that wait for the SMSC's
    window: int = 0  # submits that may be in flight
    resting: int = 0  # sessions that are not read: too many messages wait, or the SMSC does not read
    unwritten: int = 0  # octets said and not yet taken by the network


class Loaded(Protocol):
    """Something in which messages wait: smpp.session.session."""

    @property
    def load(self) -> Load:
        """What waits now."""


@dataclass(slots=True)
class Tally:
    """Plain counters since the process started; one a link, shared by its sessions."""

    received: int = 0  # messages handed on
    submitted: int = 0
    binds: int = 0
    losses: int = 0  # sessions that ended, for whatever reason
    malformed: int = 0  # messages refused because they could not be read
    ignored: int = 0  # messages taken of which octets behind their fields could not be read
    put_off: int = 0  # good messages answered with the temporary status: stopping, or a sequence number twice
    wrong_state: int = 0  # requests that this bind does not allow
    unknown_commands: int = 0
    strays: int = 0  # responses that nobody waits for (late ones too)
    timeouts: int = 0  # submits whose answer did not come in time
    nacks: int = 0  # generic_nacks from the SMSC
    alerts: int = 0  # alert_notifications: noted only
    outbinds: int = 0  # each ends its session
    throttled: int = 0
    paused: int = 0  # times that reading was paused because too many messages waited for their answer
    sessions: list[Loaded] = field(default_factory=list, compare=False)  # that stand now
    oddities: dict[str, bool] = field(default_factory=dict, compare=False)  # what was odd -> it was told

    def odd(self, what: str) -> None:
        """Something of the SMSC's that is worth one line in the log of a link; `what`: of a small set."""
        self.oddities.setdefault(what, False)

    def untold(self) -> list[str]:
        """What was odd and not asked for before."""
        found = [what for what, told in self.oddities.items() if not told]
        self.oddities |= dict.fromkeys(found, True)
        return found

    def load(self) -> Load:
        """What waits in all sessions together."""
        return Load(*map(sum, zip(*(session.load for session in self.sessions), strict=True)))


COUNTERS = tuple(name for name in Tally.__dataclass_fields__ if name not in ("sessions", "oddities"))
