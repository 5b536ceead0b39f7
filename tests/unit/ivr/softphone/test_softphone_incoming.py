"""A call that comes to a handset, in SIP: what is said when, whatever the other side does."""

from __future__ import annotations

import pytest

from ivr.softphone import messages
from ivr.softphone.incoming import NO_SOUND, Incoming
from ivr.softphone.leg import RINGS_S, Stage
from ivr.softphone.messages import Ends, Request
from tests.unit.ivr.softphone.far_end import SDP, SOUND_PORT, Said, said

ENDS = Ends(
    caller="380500000001",
    called="0800500040",
    here=("127.0.0.1", 40000),
    there=("127.0.0.1", 5070),
    call_id="a-call",
    tag="ours",
    branch="b",
)


def request(method: str, number: int = 7, *, to: str = "", body: str = "") -> bytes:
    """Asterisk's. `to`: our tag."""
    lines = [
        f"{method} sip:380500000001@127.0.0.1:40000 SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK{number}{method}",
        "From: <sip:0800500040@127.0.0.1:5070>;tag=theirs",
        f"To: <sip:380500000001@127.0.0.1>{to}",
        "Contact: <sip:asterisk@127.0.0.1:5070>",
        "Call-ID: a-call",
        f"CSeq: {number} {method}",
        *(("Content-Type: application/sdp",) if body else ()),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


class Asterisk:
    """It calls; `now` is the clock."""

    def __init__(self, body: str = SDP.format(port=12000)) -> None:
        self.now = 100.0
        self.body = body
        invite = messages.read(request("INVITE", body=body))
        assert isinstance(invite, Request)
        self.call = Incoming(invite, ENDS, SOUND_PORT)
        self.first = said(self.call.begin(self.now))

    def asks(self, method: str, number: int = 7, *, to: str = ";tag=ours") -> list[Said]:
        return said(self.call.hear(request(method, number, to=to), self.now))

    def passes(self, seconds: float) -> list[Said]:
        self.now += seconds
        return said(self.call.tick(self.now))


def statuses(found: list[Said]) -> list[str]:
    return [one.line.removeprefix("SIP/2.0 ") for one in found]


def answered() -> Asterisk:
    far = Asterisk()
    far.call.answer(far.now)
    far.asks("ACK")
    return far


def test_it_rings_and_says_so_again_to_whoever_asks_again() -> None:
    far = Asterisk()
    again = said(far.call.hear(request("INVITE", body=far.body), far.now))
    assert statuses(far.first) == statuses(again) == ["180 Ringing"]
    assert far.first[0].headers["To"].endswith(";tag=ours")
    assert far.call.stage is Stage.RINGING


def test_an_answer_is_said_until_it_is_acknowledged() -> None:
    far = Asterisk()
    (answer,) = said(far.call.answer(far.now))
    assert answer.line == "SIP/2.0 200 OK"
    assert f"m=audio {SOUND_PORT} RTP/AVP 8\r\n" in answer.body
    assert [far.passes(0.5), far.passes(0.1)] == [[answer], []]
    far.asks("ACK")
    assert far.passes(5.0) == []
    assert (far.call.stage, far.call.sound_port) == (Stage.TALKING, 12000)
    assert far.call.answer(far.now) == []


def test_keys_and_hanging_up_go_to_whoever_calls() -> None:
    far = answered()
    (key,) = said(far.call.press("9", far.now))
    assert (key.line, key.body) == (
        "INFO sip:asterisk@127.0.0.1:5070 SIP/2.0",
        "Signal=9\r\nDuration=160\r\n",
    )
    assert key.headers["To"] == "<sip:0800500040@127.0.0.1:5070>;tag=theirs"
    (bye,) = said(far.call.hang_up(far.now))
    assert (bye.method, far.call.stage) == ("BYE", Stage.LEAVING)


def test_the_other_side_hangs_up() -> None:
    far = answered()
    assert statuses(far.asks("BYE", 8)) == ["200 OK"]
    assert (far.call.stage, far.call.why) == (Stage.OVER, "")


def test_a_call_is_declined() -> None:
    far = Asterisk()
    (no,) = said(far.call.hang_up(far.now))
    assert no.line == "SIP/2.0 603 Decline"
    assert far.passes(0.5) == [no]
    far.asks("ACK")
    assert far.call.stage is Stage.OVER


def test_a_cancelled_call_rings_no_more() -> None:
    far = Asterisk()
    assert statuses(far.asks("CANCEL", to="")) == ["200 OK", "487 Request Terminated"]
    far.asks("ACK")
    assert far.call.stage is Stage.OVER
    assert statuses(answered().asks("CANCEL", to="")) == ["200 OK"]  # too late


def test_nobody_answers() -> None:
    far = Asterisk()
    assert statuses(far.passes(RINGS_S)) == ["480 Temporarily Unavailable"]


@pytest.mark.parametrize("body", ["", SDP.format(port=0), SDP.format(port=12000).replace("AVP 8", "AVP 0")])
def test_sound_that_cannot_be_played_is_refused(body: str) -> None:
    far = Asterisk(body)
    assert statuses(said(far.call.answer(far.now))) == ["488 Not Acceptable Here"]
    assert far.call.why == NO_SOUND


def test_whoever_knows_not_the_call_cannot_end_it() -> None:
    far = answered()
    assert statuses(far.asks("BYE", 8, to=";tag=guessed")) == ["481 Call/Transaction Does Not Exist"]
    assert far.call.hear(b"nonsense", far.now) == []
    assert far.call.stage is Stage.TALKING
