"""The other side of a softphone's call, as a test writes it: SIP as text, by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

from ivr.softphone.dialogue import Dialogue
from ivr.softphone.messages import Ends

ENDS = Ends(
    caller="380500000001",
    called="0800500040",
    here=("127.0.0.1", 40000),
    there=("127.0.0.1", 5070),
    call_id="a-call",
    tag="ours",
    branch="b",
)
SOUND_PORT = 41000
SDP = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP 8\r\n"


def answer(port: int = 12000, host: str = "127.0.0.1") -> str:
    """Their SDP."""
    return SDP.format(port=port).replace("c=IN IP4 127.0.0.1", f"c=IN IP4 {host}")


@dataclass(slots=True)
class Said:
    """A datagram of ours, taken apart by eye: first line, headers by name, body."""

    line: str
    headers: dict[str, str]
    body: str

    @property
    def method(self) -> str:
        """Of a request; SIP/2.0 for a response."""
        return self.line.split()[0]


def said(datagrams: list[bytes]) -> list[Said]:
    """What was sent."""
    found = []
    for datagram in datagrams:
        head, body = datagram.decode().split("\r\n\r\n", 1)
        line, *headers = head.split("\r\n")
        found.append(Said(line, dict(header.split(": ", 1) for header in headers), body))
    return found


@dataclass(slots=True)
class FarEnd:
    """A call and the answers to it; `now` is the clock."""

    call: Dialogue = field(default_factory=lambda: Dialogue(ENDS, SOUND_PORT))
    now: float = 100.0
    invite: Said = field(init=False)

    def __post_init__(self) -> None:
        (self.invite,) = said(self.call.begin(self.now))

    def tells(
        self, status: str, about: Said | None = None, body: str = "", tag: str = "theirs"
    ) -> list[Said]:
        """A response to a request of ours, by default to the INVITE. `status`: such as "200 OK"."""
        asked = about or self.invite
        to = asked.headers["To"]
        lines = [
            f"SIP/2.0 {status}",
            *(f"{name}: {asked.headers[name]}" for name in ("Via", "From", "Call-ID", "CSeq")),
            f"To: {to}" if "tag=" in to or not tag else f"To: {to};tag={tag}",
            "Contact: <sip:asterisk@127.0.0.1:5070>",
        ]
        return said(self.call.hear(_whole(lines, body), self.now))

    def asks(
        self,
        method: str,
        body: str = "",
        *,
        tag: str = "theirs",
        call_id: str = "a-call",
        us: str = ";tag=ours",
    ) -> list[Said]:
        """A request of theirs."""
        lines = [
            f"{method} sip:380500000001@127.0.0.1:40000 SIP/2.0",
            "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKtheirs",
            f"From: <sip:0800500040@127.0.0.1:5070>;tag={tag}",
            f"To: <sip:380500000001@127.0.0.1>{us}",
            f"Call-ID: {call_id}",
            f"CSeq: 7 {method}",
        ]
        return said(self.call.hear(_whole(lines, body), self.now))

    def passes(self, seconds: float) -> list[Said]:
        """Time goes by."""
        self.now += seconds
        return said(self.call.tick(self.now))


def talking() -> FarEnd:
    """A call that was answered."""
    far = FarEnd()
    far.tells("200 OK", body=answer())
    return far


def _whole(lines: list[str], body: str) -> bytes:
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()
