"""What is said about the sound of a call in SDP (RFC 4566, offer and answer RFC 3264). Pure.

One kind of sound is offered: G.711 A-law, 20 ms a packet (RFC 3551, 4.5.14, payload type 8).
"""

from __future__ import annotations

import re
from typing import Final

PCMA: Final = 8
_CONNECTION: Final = re.compile(r"^c=IN IP4 (\S+)\s*$", re.MULTILINE)
_AUDIO: Final = re.compile(r"^m=audio (\d{1,5}) RTP/AVP((?: \d{1,3})+)\s*$", re.MULTILINE)


def description(host: str, port: int) -> bytes:
    """Where we want to hear: an offer, and as good an answer to whoever offers what we take."""
    lines = (
        "v=0",
        f"o=- 1 1 IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {PCMA}",
        f"a=rtpmap:{PCMA} PCMA/8000",
        "a=ptime:20",
        "a=sendrecv",
    )
    return "".join(f"{line}\r\n" for line in lines).encode()


def port_of(body: bytes, host: str) -> int | None:
    """Where the other side wants to hear A-law; None unless that is a port of `host`."""
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    connection, audio = _CONNECTION.search(text), _AUDIO.search(text)
    if connection is None or audio is None or connection[1] != host:
        return None
    port = int(audio[1])
    return port if 0 < port < 65536 and str(PCMA) in audio[2].split() else None
