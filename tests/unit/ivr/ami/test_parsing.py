"""What the manager interface says: cut at CR LF only, read once, believed only where it is one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ami.faults import Garbage
from ivr.ami.parsing import MOST_PACK, Pack, Packs, greeted, parse


def test_packs_however_they_are_cut() -> None:
    stream = b"Event: A\r\nB: c\r\n\r\nResponse: Success\r\n\r\nEvent: D\r\n"
    wanted = [b"Event: A\r\nB: c", b"Response: Success"]
    for size in range(1, len(stream)):
        packs, found = Packs(), []
        for at in range(0, len(stream), size):
            found += packs.feed(stream[at : at + size])
        assert found == wanted


def test_a_pack_without_an_end() -> None:
    packs = Packs()
    packs.feed(b"x" * MOST_PACK)
    with pytest.raises(Garbage):
        packs.feed(b"x")


def test_an_event() -> None:
    octets = "Event: Hangup\r\nCallerIDName: Оля: 1\r\nAccountCode: \r\nCause-txt: Busy".encode()
    headers = {"CallerIDName": "Оля: 1", "AccountCode": "", "Cause-txt": "Busy"}
    assert parse(octets) == Pack(kind="Event", name="Hangup", headers=headers)


@pytest.mark.parametrize("sign", ["\n", "\r", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029"])
def test_another_line_break_begins_no_header(sign: str) -> None:
    pack = parse(f"Event: Hangup\r\nCallerIDName: x{sign}Uniqueid: o1\r\nCause: 17".encode())
    assert pack is not None
    assert list(pack.headers) == ["CallerIDName", "Cause"]


AMBIGUOUS = {
    "a header twice": b"Event: Hangup\r\nUniqueid: o1\r\nCallerIDNum: 1\r\nUniqueid: o2",
    "two kinds": b"Event: Hangup\r\nCallerIDNum: 1\r\nEvent: OriginateResponse",
    "a line without a name": b"Event: Hangup\r\nUniqueid: o1\r\nforged",
    "an empty line first": b"\r\nEvent: Hangup",
    "nothing": b"",
    "another kind": b"Action: Originate\r\nChannel: x",
    "a name that is none": b"Event: Hangup\r\nUnique id: o1",
    "no text": b"\xff\xfe\0\0",
}


@pytest.mark.parametrize("octets", AMBIGUOUS.values(), ids=list(AMBIGUOUS))
def test_what_may_be_forged_is_no_pack(octets: bytes) -> None:
    assert parse(octets) is None


def test_variables_of_a_channel_may_be_several() -> None:
    pack = parse(b"Event: Hangup\r\nChanVariable: a=1\r\nChanVariable: b=2\r\nUniqueid: o1")
    assert pack is not None
    assert pack.headers["Uniqueid"] == "o1"


@given(st.binary(max_size=300))
def test_nothing_raises(octets: bytes) -> None:
    parse(octets)


def test_the_greeting() -> None:
    assert greeted(b"Asterisk Call Manager/5.0.3\r\n") == "5.0.3"
    for other in (b"220 smtp\r\n", b"Asterisk Call Manager/\r\n", b"", b"x Asterisk Call Manager/1\r\n"):
        with pytest.raises(Garbage):
            greeted(other)
