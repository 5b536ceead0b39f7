"""command_status values (SMPP 3.4, 5.1.3). What each means for a text: config/statuses.toml."""

from __future__ import annotations

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
