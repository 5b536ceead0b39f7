"""command_status values (SMPP 3.4, 5.1.3) and what each means for a message that we submitted."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

ROK: Final = 0x00
RINVMSGLEN: Final = 0x01
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RSYSERR: Final = 0x08
RINVSRCADR: Final = 0x0A
RINVDSTADR: Final = 0x0B
RMSGQFUL: Final = 0x14
RINVSERTYP: Final = 0x15
RSUBMITFAIL: Final = 0x45
RTHROTTLED: Final = 0x58
RINVSCHED: Final = 0x61
RINVEXPIRY: Final = 0x62
RX_T_APPN: Final = 0x64
RINVOPTPARSTREAM: Final = 0xC0


class Verdict(StrEnum):
    """What to do with a message after the SMSC's answer."""

    ACCEPTED = "accepted"
    THROTTLED = "throttled"  # the link is too fast, the message is good: wait, then send it again
    TEMPORARY = "temporary"  # send it again later
    PERMANENT = "permanent"  # sending it again would not help


_VERDICTS: Final = {
    ROK: Verdict.ACCEPTED,
    RMSGQFUL: Verdict.THROTTLED,
    RTHROTTLED: Verdict.THROTTLED,
    RINVBNDSTS: Verdict.TEMPORARY,  # the SMSC lost our bind: the next one will do
    RSYSERR: Verdict.TEMPORARY,
    RX_T_APPN: Verdict.TEMPORARY,
    0x0D: Verdict.TEMPORARY,  # RBINDFAIL, seen from SMSCs that restart
    0xFE: Verdict.TEMPORARY,  # RDELIVERYFAILURE, of data_sm only
}


def verdict(status: int) -> Verdict:
    """What a submit's command_status means; an unlisted one (vendor codes too) is permanent."""
    return _VERDICTS.get(status, Verdict.PERMANENT)
