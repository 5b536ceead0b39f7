"""What is told of a PDU, and what never is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from smpp.protocol import codec, wire
from smpp.protocol.pdus import SubmitSm
from smpp.session import trace

NUMBER = "380671234567"
SUBMIT = SubmitSm(
    "4040", 3, 0, NUMBER, 1, 1, 0, 8, "Код 1234-5678-90123".encode("utf-16-be"), 1, "000000001000000R"
)


def submit() -> bytes:
    octets = wire.encode_submit(SUBMIT, 7)
    assert isinstance(octets, bytes)
    return octets


def test_a_submit() -> None:
    assert trace.describe(submit()) == {
        "pdu": "submit_sm",
        "seq": 7,
        "octets": len(submit()),
        "source": "3/0/4040",
        "destination": "1/1/•••67",
        "esm_class": "0x00",
        "registered": 1,
        "data_coding": "0x08",
        "text_octets": len(SUBMIT.body),
        "validity": "000000001000000R",
    }


def test_a_response_and_an_unknown_command() -> None:
    answer = wire.HEADER.pack(21, 0x80000004, 0x58, 9) + b"abc1\0"
    assert trace.describe(answer) == {
        "pdu": "submit_sm_resp", "seq": 9, "octets": 21, "status": "0x58", "id": "abc1"
    }  # fmt: skip
    assert trace.describe(wire.HEADER.pack(16, 0x0BAD, 0, 1)) == {"pdu": "0x00000bad", "seq": 1, "octets": 16}
    bind = codec.encode_bind(codec.BindKind.TRANSCEIVER, 1, "undercap", "secret", "")
    assert trace.describe(bind) == {"pdu": "bind_transceiver", "seq": 1, "octets": len(bind)}


@given(st.binary(max_size=120), st.sampled_from([0x4, 0x5, 0x103, 0x80000004, 0x80000103, 0x15]))
def test_whatever_stands_in_it(body: bytes, command: int) -> None:
    pdu = wire.HEADER.pack(16 + len(body), command, 0, 1) + body
    assert trace.describe(pdu)["octets"] == 16 + len(body)


@given(st.integers(16, len(submit())))
def test_no_number_and_no_text_in_a_cut_one(size: int) -> None:
    told = str(trace.describe(submit()[:size]))
    assert NUMBER not in told
    assert "1234" not in told.replace("000000001000000R", "")


def test_a_session_is_traced_both_ways_in_whatever_pieces_it_comes() -> None:
    told = trace.Trace("peer")
    octets = codec.encode_enquire_link(7) + codec.encode_unbind(8)
    with capture_logs() as lines:
        told.said(codec.encode_enquire_link_resp(7))
        for octet in octets:
            told.heard(bytes((octet,)))
        told.heard(b"\0" * 16)  # framing lost: nothing to tell, and nothing kept
    assert [(line["way"], line["pdu"], line["seq"]) for line in lines] == [
        ("out", "enquire_link_resp", 7),
        ("in", "enquire_link", 7),
        ("in", "unbind", 8),
    ]
