"""Our decoder and encoder against two libraries that nobody here wrote: smpplib and smpp34 (Rust)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import smpp34
from hypothesis import given
from hypothesis import strategies as st
from smpplib import smpp as smpplib_smpp

from smpp.protocol import statuses, wire
from smpp.protocol.pdus import DeliverSm, Malformed, Part, SubmitResult, SubmitSm

# smpplib has no types.
parse_pdu: Callable[..., Any] = smpplib_smpp.parse_pdu
make_pdu: Callable[..., Any] = smpplib_smpp.make_pdu

octet = st.integers(0, 255)
# Both libraries read addresses as ASCII at best.
address = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
sequence = st.integers(1, wire.MAX_SEQUENCE)

submits = st.builds(
    SubmitSm,
    source=address,
    source_ton=octet,
    source_npi=octet,
    destination=address,
    dest_ton=octet,
    dest_npi=octet,
    esm_class=octet,
    data_coding=octet,
    body=st.binary(max_size=400),
    registered_delivery=octet,
    validity_period=st.sampled_from(["", "000000010000000R", "991231235959000+"]),
)
plain_messages = st.builds(
    DeliverSm,
    sequence=sequence,
    source=address,
    source_ton=octet,
    source_npi=octet,
    destination=address,
    esm_class=st.sampled_from([0x00, 0x04, 0x08, 0x20, 0x80]),
    data_coding=octet,
    body=st.binary(max_size=400),
    part=st.none(),
    receipt=st.just(False),
    receipted_message_id=st.just(""),
    message_state=st.just(0),
    network_error=st.just(0),
    port=st.none(),
    ignored=st.just(0),
)


def octets(pdu: bytes | Malformed) -> bytes:
    assert isinstance(pdu, bytes), pdu
    return pdu


def by_smpplib(pdu: bytes) -> Any:
    return parse_pdu(pdu, sequence=0, allow_unknown_opt_params=True)


@given(submits, sequence)
def test_a_submit_is_read_alike_by_all(pdu: SubmitSm, number: int) -> None:
    sent = octets(wire.encode_submit(pdu, number))
    assert wire.decode_submit(sent, 0, len(sent)) == pdu

    rust = smpp34.decode(sent)
    assert isinstance(rust, smpp34.SubmitSm)
    payload = next((t.value for t in rust.tlvs if t.tag == 0x0424), b"")
    assert rust.sequence_number == number
    assert pdu == SubmitSm(
        rust.source_addr,
        rust.source_addr_ton,
        rust.source_addr_npi,
        rust.destination_addr,
        rust.dest_addr_ton,
        rust.dest_addr_npi,
        rust.esm_class,
        rust.data_coding,
        rust.short_message or payload,
        rust.registered_delivery,
        rust.validity_period,
    )

    python = by_smpplib(sent)
    assert python.sequence == number
    assert pdu == SubmitSm(
        python.source_addr.decode(),
        python.source_addr_ton,
        python.source_addr_npi,
        python.destination_addr.decode(),
        python.dest_addr_ton,
        python.dest_addr_npi,
        python.esm_class,
        python.data_coding,
        python.short_message or python.message_payload or b"",
        python.registered_delivery,
        python.validity_period.decode(),
    )


@given(plain_messages)
def test_a_message_of_smpp34_is_read(message: DeliverSm) -> None:
    short = len(message.body) <= 254
    sent = smpp34.DeliverSm(
        message.source,
        message.destination,
        message.body if short else b"",
        source_addr_ton=message.source_ton,
        source_addr_npi=message.source_npi,
        esm_class=message.esm_class,
        data_coding=message.data_coding,
        tlvs=[] if short else [smpp34.Tlv(0x0424, message.body)],
        sequence_number=message.sequence,
    ).encode()
    expected = message._replace(receipt=message.esm_class in {0x04, 0x08, 0x20})
    assert wire.decode_deliver(message.sequence, sent, 0, len(sent)) == expected


@given(plain_messages)
def test_a_message_of_smpplib_is_read(message: DeliverSm) -> None:
    short = len(message.body) <= 254
    pdu = make_pdu(
        "deliver_sm",
        sequence=message.sequence,
        source_addr=message.source,
        source_addr_ton=message.source_ton,
        source_addr_npi=message.source_npi,
        destination_addr=message.destination,
        esm_class=message.esm_class,
        data_coding=message.data_coding,
        **({"short_message": message.body} if short else {"message_payload": message.body}),
    )
    sent = pdu.generate()
    expected = message._replace(receipt=message.esm_class in {0x04, 0x08, 0x20})
    assert wire.decode_deliver(message.sequence, sent, 0, len(sent)) == expected


@given(
    plain_messages,
    st.none() | st.builds(Part, st.integers(0, 0xFFFF), st.integers(2, 255), st.just(1)),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=64),
    st.tuples(st.integers(0, 8), st.integers(0, 0xFFFF)),
)
def test_what_the_simulator_says_is_read(
    message: DeliverSm, part: Part | None, message_id: str, told: tuple[int, int]
) -> None:
    spoken = message._replace(
        part=part, receipted_message_id=message_id, message_state=told[0], network_error=told[1]
    )
    sent = octets(wire.encode_deliver(spoken, dest_ton=3))
    udh = 0x40 if part else 0
    assert wire.decode_deliver(message.sequence, sent, 0, len(sent)) == spoken._replace(
        esm_class=message.esm_class | udh,
        receipt=message.esm_class in {0x04, 0x08, 0x20} or bool(message_id and told[0]),
    )


@given(st.binary(max_size=300))
def test_any_octets_give_a_message_or_a_fault(noise: bytes) -> None:
    pdu = wire.encode_header(wire.DELIVER_SM, 0, 1) + noise
    for decode in (wire.decode_deliver, wire.decode_data):
        assert isinstance(decode(1, pdu, 0, len(pdu)), DeliverSm | Malformed)
    assert isinstance(wire.decode_submit(pdu, 0, len(pdu)), SubmitSm | Malformed)
    assert isinstance(wire.decode_answer(0, pdu, 0, len(pdu)), SubmitResult)


@given(plain_messages, st.data())
def test_a_cut_message_is_a_fault_even_if_another_follows(message: DeliverSm, data: st.DataObject) -> None:
    sent = octets(wire.encode_deliver(message))
    end = data.draw(st.integers(16, len(sent) - 1))
    # What stands behind the end of a PDU in the buffer belongs to the next one.
    got = wire.decode_deliver(message.sequence, sent + sent, 0, end)
    # A cut between the short message and the optional parameters cannot be seen, only what it lost.
    assert isinstance(got, Malformed) or got.body != message.body


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("nothing at all", b"", statuses.RINVCMDLEN),
        ("service type too long", b"abcdef\0" + b"\0" * 30, statuses.RINVSERTYP),
        ("source without its end", b"\0\1\1" + b"3" * 21 + b"\0" * 30, statuses.RINVSRCADR),
        (
            "destination too long",
            b"\0\1\1380\0\3\0" + b"4" * 21 + b"\0" * 30,
            statuses.RINVDSTADR,
        ),
        ("schedule too long", b"\0\1\1380\0\3\x004040\0\0\0\0" + b"9" * 17 + b"\0" * 9, statuses.RINVSCHED),
        (
            "validity too long",
            b"\0\1\1380\0\3\x004040\0\0\0\0\0" + b"9" * 17 + b"\0" * 9,
            statuses.RINVEXPIRY,
        ),
        ("text shorter than said", b"\0\1\1380\0\3\x004040\0" + b"\0" * 9 + b"\x09CODE", statuses.RINVMSGLEN),
        (
            "text of 255 octets",
            b"\0\1\1380\0\3\x004040\0" + b"\0" * 9 + b"\xff" + b"x" * 255,
            statuses.RINVMSGLEN,
        ),
        (
            "text of 255 octets and more behind",
            b"\0\1\1380\0\3\x004040\0" + b"\0" * 9 + b"\xff" + b"x" * 300,
            statuses.RINVMSGLEN,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_status_names_the_fault(what: str, body: bytes, status: int) -> None:
    del what
    pdu = wire.encode_header(wire.DELIVER_SM, 0, 1) + body
    assert wire.decode_deliver(1, pdu, 0, len(pdu)) == Malformed(status)


@pytest.mark.parametrize(
    ("behind", "ignored", "named"),
    [
        pytest.param(b"\0", 1, "", id="the NUL that ends a text in C"),
        pytest.param(b"\x02\x04\x00\xff\x01\x02", 6, "", id="a parameter longer than the rest"),
        pytest.param(b"\x04\x24", 2, "", id="half a parameter"),
        pytest.param(b"\0\0\x1e\0\x03a1\0", 1, "a1", id="a NUL, then parameters"),
        pytest.param(b"\0\x1e\0\x03a1\0\x02\x04\0\xff", 4, "a1", id="a good parameter, then a cut one"),
        pytest.param(b"xyz", 3, "", id="noise"),
    ],
)
def test_what_stands_behind_a_good_text_hurts_nobody(behind: bytes, ignored: int, named: str) -> None:
    fields = b"\0\1\1380671234567\0\3\x004040\0" + b"\0" * 9 + b"\x04STOP" + behind
    pdu = wire.encode_header(wire.DELIVER_SM, 0, 1) + fields
    found = wire.decode_deliver(1, pdu, 0, len(pdu))
    assert isinstance(found, DeliverSm)
    assert (found.body, found.ignored, found.receipted_message_id) == (b"STOP", ignored, named)
    data = (
        b"\0\1\1380671234567\0\3\x004040\0" + b"\0" * 3 + b"\x04\x24\0\x04STOP" + behind.removeprefix(b"\0")
    )
    pdu = wire.encode_header(wire.DATA_SM, 0, 1) + data
    found = wire.decode_data(1, pdu, 0, len(pdu))
    assert isinstance(found, DeliverSm)
    assert found.body == b"STOP"


@pytest.mark.parametrize("body", [b"STOP", b"\x05\0", b""])
def test_a_header_that_is_none_leaves_the_text(body: bytes) -> None:
    fields = b"\0\1\1380671234567\0\3\x004040\0\x40" + b"\0" * 8 + bytes((len(body),)) + body
    pdu = wire.encode_header(wire.DELIVER_SM, 0, 1) + fields
    found = wire.decode_deliver(1, pdu, 0, len(pdu))
    assert isinstance(found, DeliverSm)
    assert (found.body, found.part, found.ignored) == (body, None, 1)


SUBMIT = SubmitSm("4040", 3, 0, "380671234567", 1, 1, 0, 0, b"hi")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"source": "4" * 21}, statuses.RINVSRCADR),
        ({"source": "Київ"}, statuses.RINVSRCADR),
        ({"source": "a\0b"}, statuses.RINVSRCADR),
        ({"destination": "3" * 21}, statuses.RINVDSTADR),
        ({"destination": "\0"}, statuses.RINVDSTADR),
        ({"body": b"x" * 66_000}, statuses.RINVMSGLEN),
        ({"validity_period": "1" * 17}, statuses.RINVEXPIRY),
        ({"data_coding": 256}, statuses.RSUBMITFAIL),
        ({"dest_ton": -1}, statuses.RSUBMITFAIL),
    ],
    ids=str,
)
def test_a_submit_that_does_not_fit_is_refused_as_an_smsc_would(change: dict[str, Any], status: int) -> None:
    assert wire.encode_submit(SUBMIT._replace(**change), 1) == Malformed(status)


@pytest.mark.parametrize(
    ("what", "pdu", "result"),
    [
        ("accepted", wire.encode_answer(wire.SUBMIT_SM_RESP, 0, 9, "a1b2"), SubmitResult(0, "a1b2")),
        ("refused, no body", wire.encode_header(wire.SUBMIT_SM_RESP, 0x58, 9), SubmitResult(0x58, "")),
        ("an empty id", wire.encode_answer(wire.SUBMIT_SM_RESP, 0, 9), SubmitResult(0, "")),
        ("an endless id", wire.encode_header(wire.SUBMIT_SM_RESP, 0, 9) + b"x" * 80, SubmitResult(0, "")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_is_read(what: str, pdu: bytes, result: SubmitResult) -> None:
    del what
    status = int.from_bytes(pdu[8:12], "big")
    assert wire.decode_answer(status, pdu + b"next", 0, len(pdu)) == result


@given(address, address, st.binary(max_size=300), octet)
def test_a_data_sm_is_read(source: str, destination: str, body: bytes, coding: int) -> None:
    pdu = make_pdu(
        "data_sm",
        sequence=5,
        source_addr=source,
        source_addr_ton=1,
        destination_addr=destination,
        data_coding=coding,
        message_payload=body,
    )
    sent = pdu.generate()
    assert wire.decode_data(5, sent, 0, len(sent)) == DeliverSm(5, source, 1, 0, destination, 0, coding, body)


def test_a_vendors_parameter_does_not_hurt() -> None:
    message = DeliverSm(1, "380671234567", 1, 1, "4040", 0, 0, b"CODE")
    sent = octets(wire.encode_deliver(message, tlvs=[(0x1403, b"vendor"), (0x3FFF, b"")]))
    assert wire.decode_deliver(1, sent, 0, len(sent)) == message


def test_a_message_shows_neither_number_nor_text() -> None:
    message = DeliverSm(1, "380671234567", 1, 1, "4040", 0, 0, b"CODE1234")
    shown = f"{message!r} {SUBMIT!r}"
    assert "380671234567" not in shown
    assert "CODE" not in shown
