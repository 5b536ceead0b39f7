"""SIP messages of one call, read and written (RFC 3261, 7 and 8). Pure; sipmessage knows their grammar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeVar

from sipmessage import URI, Address, CSeq, MediaType, Message, Parameters, Request, Response, Via

__all__ = ["Request", "Response"]
ALLOWED: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE"
MOST_OCTETS: Final = 16_384  # of a message that is read
SDP: Final = "application/sdp"
DTMF: Final = "application/dtmf-relay"
_MAGIC: Final = "z9hG4bK"  # begins each branch (8.1.1.7)
_COPIED: Final = ("Via", "From", "To", "Call-ID", "CSeq")  # into a response (8.2.6.2)
_Made = TypeVar("_Made", Request, Response)


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """A body. `kind`: its media type."""

    kind: str
    body: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Ends:
    """The two ends of one call, and the marks by which its messages know one another.

    `caller`, `called`: the user parts of the addresses. `here`, `there`: host and port. `call_id`, `tag`,
    `branch`: random, unguessable words.
    """

    caller: str
    called: str
    here: tuple[str, int]
    there: tuple[str, int]
    call_id: str
    tag: str
    branch: str

    @property
    def contact(self) -> URI:
        """Where the other side reaches us in this call."""
        return URI(scheme="sip", user=self.caller, host=self.here[0], port=self.here[1])

    @property
    def destination(self) -> URI:
        """Whom we call."""
        return URI(scheme="sip", user=self.called, host=self.there[0], port=self.there[1])


def read(datagram: bytes) -> Request | Response | None:
    """A message that has all that we look at (8.1.1); None if it is none, whatever is wrong with it."""
    if len(datagram) > MOST_OCTETS:
        return None
    try:
        message = Message.parse(datagram)
        _ = message.via[0], message.cseq, message.call_id, message.from_address, message.to_address
        _ = message.contact
    except (ValueError, KeyError, IndexError, TypeError):  # the last: a parameter that is called `self`
        return None
    return message


def request(
    ends: Ends, method: str, number: int, *, target: URI, to: Address, content: Content | None = None
) -> Request:
    """A request of ours (8.1.1). `number`: of the CSeq; ACK and CANCEL take that of their INVITE.

    Its branch is its own, but that of a CANCEL, and of an ACK to a refusal, which are the INVITE's: see
    `sharing_branch`.
    """
    made = Request(method=method, uri=target)
    branch = Parameters(branch=f"{_MAGIC}{ends.branch}{number}{method}", rport=None)
    made.via = [Via(transport="UDP", host=ends.here[0], port=ends.here[1], parameters=branch)]
    made.max_forwards = 70
    made.from_address = Address(
        uri=URI(scheme="sip", user=ends.caller, host=ends.here[0]), parameters=Parameters(tag=ends.tag)
    )
    made.to_address = to
    made.call_id = ends.call_id
    made.cseq = CSeq(sequence=number, method=method)
    made.contact = [Address(uri=ends.contact)]
    made.headers.set("Allow", ALLOWED)
    return _filled(made, content)


def sharing_branch(made: Request, invite: Request) -> Request:
    """The same with the branch of the INVITE that it is about (9.1, 17.1.1.3)."""
    made.via = invite.via[:1]
    return made


def response(asked: Request, code: int, phrase: str, ends: Ends, content: Content | None = None) -> Response:
    """What is answered to a request of the other side (8.2.6)."""
    made = Response(code=code, phrase=phrase)
    for name in _COPIED:
        for value in asked.headers.getlist(name):
            made.headers.add(name, value)
    to = asked.to_address
    if "tag" not in to.parameters:
        made.to_address = Address(uri=to.uri, name=to.name, parameters=Parameters(tag=ends.tag))
    made.contact = [Address(uri=ends.contact)]
    made.headers.set("Allow", ALLOWED)
    return _filled(made, content)


def _filled(made: _Made, content: Content | None) -> _Made:
    if content is not None:
        made.content_type = MediaType.parse(content.kind)
        made.body = content.body
    made.content_length = len(made.body)
    return made
