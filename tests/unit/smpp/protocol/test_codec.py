"""Binds and the like: what smpplib makes is what we mean, and what it cannot read does not hurt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import AddressRange, BindKind, BindRequest
from smpp.protocol.pdus import Malformed


@pytest.mark.parametrize("kind", list(BindKind))
def test_a_bind_is_read_as_it_was_said(kind: BindKind) -> None:
    said = codec.encode_bind(kind, 7, "undercap", "secret", "VMS")
    assert codec.decode_bind(said) == BindRequest(kind, 7, "undercap", "secret", "VMS")
    assert wire.HEADER.unpack_from(said) == (len(said), kind.command, 0, 7)


@pytest.mark.parametrize("kind", list(BindKind))
def test_a_bind_says_its_version_and_whom_it_serves(kind: BindKind) -> None:
    serves = AddressRange(3, 1, "^4040$")
    said = codec.encode_bind(kind, 7, "undercap", "", "", interface_version=0x50, serves=serves)
    # SMPP 3.4, 4.1.1: a transmitter serves nobody.
    heard = serves if kind.receives else AddressRange()
    assert codec.decode_bind(said) == BindRequest(kind, 7, "undercap", "", "", 0x50, heard)


@pytest.mark.parametrize("kind", list(BindKind))
def test_the_answer_to_a_bind_is_read(kind: BindKind) -> None:
    said = codec.encode_bind_resp(kind, statuses.RSYSERR, 7, "smsc")
    assert codec.decode_bind_resp(said) == "smsc"
    assert wire.HEADER.unpack_from(said) == (len(said), kind.command | wire.RESPONSE, statuses.RSYSERR, 7)


@given(st.sampled_from(list(BindKind)), st.binary(max_size=60))
def test_any_octets_give_a_bind_or_a_fault(kind: BindKind, noise: bytes) -> None:
    asked = wire.encode_header(kind.command, 0, 1) + noise
    assert isinstance(codec.decode_bind(asked), BindRequest | Malformed)
    answered = wire.encode_header(kind.command | wire.RESPONSE, 0, 1) + noise
    assert isinstance(codec.decode_bind_resp(answered), str)


def test_a_request_that_is_no_bind_is_told_apart() -> None:
    assert codec.decode_bind(codec.encode_unbind(1)) == Malformed(statuses.RINVCMDID)


@pytest.mark.parametrize(
    ("pdu", "command"),
    [
        (codec.encode_enquire_link(9), 0x15),
        (codec.encode_enquire_link_resp(9), 0x80000015),
        (codec.encode_unbind(9), 0x06),
        (codec.encode_unbind_resp(9), 0x80000006),
    ],
)
def test_a_pdu_without_a_body_is_its_header(pdu: bytes, command: int) -> None:
    assert wire.HEADER.unpack(pdu) == (16, command, 0, 9)


def test_the_commands_of_every_message_are_those_of_smpplib() -> None:
    assert {
        "submit_sm": wire.SUBMIT_SM,
        "submit_sm_resp": wire.SUBMIT_SM_RESP,
        "deliver_sm": wire.DELIVER_SM,
        "deliver_sm_resp": wire.DELIVER_SM_RESP,
        "data_sm": wire.DATA_SM,
        "data_sm_resp": wire.DATA_SM_RESP,
    }.items() <= codec.COMMANDS.items()


def test_a_status_is_told_in_words() -> None:
    assert codec.status_name(0x0E) == "0x0000000e (Invalid Password)"
    assert codec.status_name(0x0400) == "0x00000400"


def test_a_bind_shows_no_password() -> None:
    assert "secret" not in repr(BindRequest(BindKind.RECEIVER, 1, "undercap", "secret", ""))
