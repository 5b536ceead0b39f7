"""What happened on a link, counted for the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """Plain counters since the process started; one a link, shared by its sessions."""

    received: int = 0  # messages handed on
    submitted: int = 0
    binds: int = 0
    losses: int = 0  # sessions that ended, for whatever reason
    malformed: int = 0  # messages refused because they could not be read
    put_off: int = 0  # good messages answered with the temporary status: stopping, or a sequence number twice
    wrong_state: int = 0  # requests that this bind does not allow
    unknown_commands: int = 0
    strays: int = 0  # responses that nobody waits for (late ones too)
    timeouts: int = 0  # submits whose answer did not come in time
    nacks: int = 0  # generic_nacks from the SMSC
    alerts: int = 0  # alert_notification and outbind: noted only
    throttled: int = 0
    paused: int = 0  # times that reading was paused because too many messages waited for their answer
