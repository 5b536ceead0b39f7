"""What Asterisk's Hangup event says beside its cause; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# Runs when a call of ours is over, answered or not: see [undercap-gone] in config/asterisk/extensions.conf.
HANDLER: Final = 'CHANNEL(hangup_handler_push)="undercap-gone,s,1"'
# Where the trunk says that the callee is elsewhere (3xx) Asterisk would call that, in the trunk's own
# context: see [undercap-moved] there.
MOVED: Final = "FORWARD_CONTEXT=undercap-moved"
_NOTED: Final = "sip"  # before the status, in AccountCode
_RINGING: Final = "5"


def status(headers: Mapping[str, str]) -> int | None:
    """The last SIP status that was heard of a call; 0: none at all; None: nobody tells.

    AccountCode stands in each event, so nobody can forge it: a header that stands twice spoils the event.
    """
    noted = headers.get("AccountCode", "")
    if noted == _NOTED:
        return 0
    told = number(noted.removeprefix(_NOTED)) if noted.startswith(_NOTED) else None
    return told if told is not None else number(headers.get("TechCause"))


def rang(headers: Mapping[str, str]) -> bool:
    """Whether the trunk has said that a telephone rings (180)."""
    return headers.get("ChannelState") == _RINGING


def number(value: str | None) -> int | None:
    """Digits and nothing else."""
    return int(value) if value and value.isascii() and value.isdigit() else None
