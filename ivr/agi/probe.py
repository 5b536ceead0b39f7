"""Whether a FastAGI server of ours listens somewhere: it is asked for a script that says who it is.

Works while the server has room for one more call.
"""

from __future__ import annotations

import socket
from typing import Final

from ivr.agi.channel import Channel

ROUTE: Final = "/who"
_WITHIN_S: Final = 3.0
_NAME: Final = "undercap"
_ENVIRONMENT: Final = f"agi_network: yes\nagi_network_script: {ROUTE.removeprefix('/')}\n\n".encode("ascii")
_SAYS: Final = f'NOOP "{_NAME}"\n'.encode("ascii")


async def who(channel: Channel) -> None:
    """The server's side: the script of ROUTE."""
    await channel.noop(_NAME)


def is_ours(host: str, port: int) -> bool:
    """Ask. False where nobody answers in time, or somebody else does."""
    try:
        with socket.create_connection((host, port), timeout=_WITHIN_S) as connection:
            connection.sendall(_ENVIRONMENT)
            with connection.makefile("rb") as lines:
                said = lines.readline(len(_SAYS))
            connection.sendall(b"200 result=0\n")
            return said == _SAYS
    except OSError:
        return False
