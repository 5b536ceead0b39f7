"""Who has answered, and when a machine's greeting is over: Asterisk's app_amd and app_waitforsilence.

A person says a short word and waits, a machine talks on. amd.conf of config/asterisk sets the times.
"""

from __future__ import annotations

from typing import Final

from config.outage import Outage
from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, Fault
from ivr.offer.order import AnsweredBy

DETECTS_WITHIN_S: Final = 10.0  # app_amd ends by itself at half of it
_QUIET_MS: Final = 1500  # after a greeting and its tone
_GREETING_WITHIN_S: Final = 30
_SILENT: Final = "INITIALSILENCE"
_absent = Outage("nobody can tell machines from people", mend="load app_amd in Asterisk, with an amd.conf")


async def who_answered(channel: Channel) -> AnsweredBy:
    """Listen for some seconds. Raises HungUp, AgiError.

    Silence, which app_amd calls a machine, and what it is not sure of may be a person: UNSURE. So may
    everybody be where Asterisk has no app_amd.
    """
    try:
        await channel.execute("AMD", "", DETECTS_WITHIN_S)
    except AgiError as err:
        if err.fault is not Fault.REFUSED:
            raise
        _absent.on(str(err))
        return AnsweredBy.UNSURE
    _absent.over()
    status, cause = await channel.get("AMDSTATUS"), await channel.get("AMDCAUSE")
    if status == "MACHINE" and not cause.startswith(_SILENT):
        return AnsweredBy.MACHINE
    return AnsweredBy.HUMAN if status == "HUMAN" else AnsweredBy.UNSURE


async def greeting_over(channel: Channel) -> None:
    """Until nothing was heard for a while; of a greeting without an end, half a minute. Raises as above."""
    await channel.execute(
        "WaitForSilence", f"{_QUIET_MS},1,{_GREETING_WITHIN_S}", _GREETING_WITHIN_S + _QUIET_MS / 1000
    )
