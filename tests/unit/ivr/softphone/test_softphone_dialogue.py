"""One call of the softphone in SIP: what is said when, whatever the other side does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.softphone.leg import AWAY, MOST_UNANSWERED, Stage
from tests.unit.ivr.softphone.far_end import SOUND_PORT, FarEnd, answer, said, talking

NONE_TO_PLAY = "Asterisk speaks no sound that the page can play."


def test_the_invite_names_the_handset_the_free_number_and_where_to_send_sound() -> None:
    invite = FarEnd().invite
    assert invite.line == "INVITE sip:0800500040@127.0.0.1:5070 SIP/2.0"
    assert invite.headers["From"] == "<sip:380500000001@127.0.0.1>;tag=ours"
    assert invite.headers["Contact"] == "<sip:380500000001@127.0.0.1:40000>"
    assert f"m=audio {SOUND_PORT} RTP/AVP 8\r\n" in invite.body
    assert invite.headers["Content-Length"] == str(len(invite.body))


def test_the_invite_is_sent_again_until_something_is_heard() -> None:
    far = FarEnd()
    assert [far.passes(seconds) for seconds in (0.4, 0.1, 0.9, 0.1)] == [[], [far.invite], [], [far.invite]]
    far.tells("100 Trying", tag="")
    assert [far.passes(5.0) for _ in range(3)] == [[], [], []]
    assert far.call.stage is Stage.DIALLING


def test_without_any_answer_it_is_over_soon() -> None:
    far = FarEnd()
    far.passes(8.0)
    assert (far.call.stage, far.call.why) == (Stage.OVER, AWAY)


def test_an_answer_is_acknowledged_each_time_it_comes() -> None:
    far = FarEnd()
    assert far.tells("180 Ringing") == []
    assert far.call.stage is Stage.RINGING
    first, again = far.tells("200 OK", body=answer(12000)), far.tells("200 OK", body=answer(12000))
    (ack,) = first
    assert first == again
    assert ack.line == "ACK sip:asterisk@127.0.0.1:5070 SIP/2.0"  # their Contact
    assert (ack.headers["CSeq"], ack.headers["To"].partition(";")[2]) == ("1 ACK", "tag=theirs")
    assert ack.headers["Via"] != far.invite.headers["Via"]  # 13.2.2.4: a transaction of its own
    assert (far.call.stage, far.call.sound_port) == (Stage.TALKING, 12000)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        pytest.param("486 Busy Here", "All lines are busy.", id="busy"),
        pytest.param("404 Not Found", "There is no such number.", id="no number"),
        pytest.param("401 Unauthorized", "Asterisk refused the call (401).", id="asks for a password"),
        pytest.param("302 Moved Temporarily", "Asterisk refused the call (302).", id="is elsewhere"),
    ],
)
def test_a_refusal_is_acknowledged_in_its_transaction(status: str, why: str) -> None:
    far = FarEnd()
    (ack,) = far.tells(status)
    assert (ack.method, ack.headers["Via"]) == ("ACK", far.invite.headers["Via"])  # 17.1.1.3
    assert ack.headers["To"].endswith(";tag=theirs")
    assert (far.call.stage, far.call.why) == (Stage.OVER, why)


def test_hanging_up_before_any_answer_waits_for_the_first_then_cancels() -> None:
    far = FarEnd()
    assert far.call.hang_up(far.now) == []  # 9.1: nothing may be cancelled yet
    (cancel,) = far.tells("100 Trying", tag="")
    assert (cancel.method, cancel.headers["CSeq"]) == ("CANCEL", "1 CANCEL")
    assert cancel.headers["Via"] == far.invite.headers["Via"]
    assert far.tells("200 OK", cancel) == []
    (ack,) = far.tells("487 Request Terminated")
    assert (ack.method, far.call.stage, far.call.why) == ("ACK", Stage.OVER, "")


def test_a_cancel_that_comes_too_late_ends_in_a_bye() -> None:
    far = FarEnd()
    far.tells("180 Ringing")
    (cancel,) = said(far.call.hang_up(far.now))
    ack, bye = far.tells("200 OK", body=answer())
    assert (cancel.method, ack.method, bye.method) == ("CANCEL", "ACK", "BYE")
    far.tells("200 OK", bye)
    assert (far.call.stage, far.call.why) == (Stage.OVER, "")


def test_nobody_rings_for_ever() -> None:
    far = FarEnd()
    far.tells("180 Ringing")
    (cancel,) = far.passes(60.0)
    far.passes(2.0)
    assert (cancel.method, far.call.stage, far.call.why) == ("CANCEL", Stage.OVER, "Nobody answered.")


def test_hanging_up_is_over_with_the_answer_or_without() -> None:
    heard, lost = talking(), talking()
    (bye,) = said(heard.call.hang_up(heard.now))
    assert (bye.method, bye.line.split()[1]) == ("BYE", "sip:asterisk@127.0.0.1:5070")
    heard.tells("200 OK", bye)
    lost.call.hang_up(lost.now)
    assert [again.method for again in lost.passes(0.5)] == ["BYE"]
    lost.passes(1.5)
    assert (heard.call.stage, lost.call.stage) == (Stage.OVER, Stage.OVER)


def test_a_key_is_an_info_of_its_own() -> None:
    far = talking()
    one, two = said(far.call.press("4", far.now)), said(far.call.press("#", far.now))
    assert [(info.method, info.body.split()[0]) for info in one + two] == [
        ("INFO", "Signal=4"),
        ("INFO", "Signal=#"),
    ]
    assert [info.headers["CSeq"] for info in one + two] == ["2 INFO", "3 INFO"]
    assert one[0].headers["Content-Type"] == "application/dtmf-relay"


@pytest.mark.parametrize("key", ["", "A", "12", "\r\nSignal=1", "٣", "4 "])
def test_what_is_no_key_is_not_sent(key: str) -> None:
    far = talking()
    assert far.call.press(key, far.now) == []


def test_keys_wait_for_somebody_who_answers() -> None:
    ringing, deaf = FarEnd(), talking()
    ringing.tells("180 Ringing")
    assert ringing.call.press("1", ringing.now) == []
    pressed = [deaf.call.press("1", deaf.now) for _ in range(MOST_UNANSWERED + 5)]
    assert sum(map(len, pressed)) == MOST_UNANSWERED
    deaf.passes(8.0)
    assert (deaf.call.stage, deaf.call.why) == (Stage.OVER, AWAY)


def test_they_hang_up() -> None:
    far = talking()
    (fine,) = far.asks("BYE")
    assert (fine.line, fine.headers["CSeq"]) == ("SIP/2.0 200 OK", "7 BYE")
    assert fine.headers["Via"] == "SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKtheirs"
    assert (far.call.stage, far.call.why) == (Stage.OVER, "")


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"tag": "another"}, id="of another other side"),
        pytest.param({"call_id": "another"}, id="of another call"),
        pytest.param({"us": ";tag=another"}, id="to somebody else"),
        pytest.param({"us": ""}, id="of no call"),
    ],
)
def test_nobody_else_ends_the_call(other: dict[str, str]) -> None:
    far = talking()
    (refused,) = far.asks("BYE", **other)
    assert (refused.line, far.call.stage) == ("SIP/2.0 481 Call/Transaction Does Not Exist", Stage.TALKING)


@pytest.mark.parametrize(
    ("method", "body", "status"),
    [
        pytest.param("OPTIONS", "", "200 OK", id="asks whether we live"),
        pytest.param("INVITE", "", "200 OK", id="refreshes without an offer"),
        pytest.param("INVITE", answer(12000), "200 OK", id="refreshes"),
        pytest.param("UPDATE", answer(12000), "200 OK", id="updates"),
        pytest.param(
            "INVITE", answer(12000, "192.0.2.1"), "488 Not Acceptable Here", id="wants the sound elsewhere"
        ),
        pytest.param("REFER", "", "405 Method Not Allowed", id="wants us to call somebody"),
        pytest.param("CANCEL", "", "405 Method Not Allowed", id="cancels what is over"),
    ],
)
def test_what_they_ask_in_the_call_is_answered(method: str, body: str, status: str) -> None:
    far = talking()
    (told,) = far.asks(method, body)
    assert told.line == f"SIP/2.0 {status}"
    assert ("m=audio" in told.body) == (method in ("INVITE", "UPDATE") and status == "200 OK")
    assert far.asks("ACK") == []
    assert (far.call.stage, far.call.sound_port) == (Stage.TALKING, 12000)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="no sound"),
        pytest.param(answer(12000, "192.0.2.1"), id="sound for another machine"),
        pytest.param(answer(12000).replace("AVP 8", "AVP 0"), id="another codec"),
        pytest.param(answer(0), id="sound refused"),
        pytest.param(answer(99999), id="no such port"),
    ],
)
def test_an_answer_that_cannot_be_heard_is_hung_up(body: str) -> None:
    far = FarEnd()
    assert [request.method for request in far.tells("200 OK", body=body)] == ["ACK", "BYE"]
    far.passes(2.0)
    assert (far.call.stage, far.call.why) == (Stage.OVER, NONE_TO_PLAY)


ANSWER = """SIP/2.0 200 OK
Via: SIP/2.0/UDP h;branch=z9hG4bKb1INVITE
From: <sip:1@h>;tag=ours
To: <sip:2@h>;tag=t
Call-ID: a-call
CSeq: 1 INVITE
Contact: <sip:a@127.0.0.1:5070>
Content-Length: 0

"""
BYE = """BYE sip:1@h SIP/2.0
Via: SIP/2.0/UDP h;branch=z9hG4bKx
From: <sip:2@h>;tag=theirs;self=1
To: <sip:1@h>;tag=ours
Call-ID: a-call
CSeq: 7 BYE
Content-Length: 0

"""
VALID = [text.replace("\n", "\r\n").encode() for text in (ANSWER, BYE)]


@given(octets=st.binary(max_size=300))
def test_garbage_is_passed_over(octets: bytes) -> None:
    far = talking()
    assert far.call.hear(octets, far.now) == []
    assert far.call.stage is Stage.TALKING


@given(data=st.data())
def test_a_message_with_wrong_octets_never_raises(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from(VALID)))
    for _ in range(data.draw(st.integers(0, 6))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(octets)))
    for message in (bytes(octets), bytes(octets[:cut])):
        far = FarEnd()
        far.call.hear(message, far.now)
        far.tells("200 OK", body=answer())
        far.call.hear(message, far.now)
