"""Receipts as SMSCs write them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp.protocol.pdus import DeliverSm
from smpp.protocol.receipts import Receipt, ReceiptState, read_receipt

S = ReceiptState
DATA = Path(__file__).parents[3] / "data"
APPENDIX_B = (
    b"id:0123456789 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 "
    b"stat:DELIVRD err:000 text:CODE"
)


VENDORS = tomllib.loads((DATA / "receipts.toml").read_text(encoding="utf-8"))["receipt"]


def receipt(
    body: bytes = b"", *, tlv_id: str = "", tlv_state: int = 0, coding: int = 0, network_error: int = 0
) -> DeliverSm:
    tlvs = (tlv_id, tlv_state, network_error)
    return DeliverSm(1, "380671234567", 1, 1, "4040", 4, coding, body, None, True, *tlvs)


@pytest.mark.parametrize(
    ("what", "message", "expected"),
    [
        ("appendix B", receipt(APPENDIX_B), Receipt("0123456789", S.DELIVRD, "")),
        ("an error", receipt(b"id:a1 stat:UNDELIV err:0c2 text:"), Receipt("a1", S.UNDELIV, "0c2")),
        ("capitals", receipt(b"ID:A1 STAT:EXPIRED ERR:1 TEXT:x"), Receipt("A1", S.EXPIRED, "1")),
        ("capital field names", receipt(b"Id: a1 Stat: DELETED Err: 000"), Receipt("a1", S.DELETED, "")),
        ("equals signs", receipt(b"id=a1 stat=REJECTD err=5"), Receipt("a1", S.REJECTD, "5")),
        ("commas", receipt(b"id:a1,sub:1,stat:ACCEPTD,err:0"), Receipt("a1", S.ACCEPTD, "")),
        ("another order", receipt(b"stat:DELIVRD err:000 id:a1"), Receipt("a1", S.DELIVRD, "")),
        ("words in full", receipt(b"id:a1 stat:DELIVERED"), Receipt("a1", S.DELIVRD, "")),
        ("undelivered in full", receipt(b"id:a1 stat:UNDELIVERABLE"), Receipt("a1", S.UNDELIV, "")),
        ("failed", receipt(b"id:a1 status:FAILED error:12"), Receipt("a1", S.UNDELIV, "12")),
        ("a numeric state", receipt(b"id:a1 stat:2"), Receipt("a1", S.DELIVRD, "")),
        ("on its way", receipt(b"id:a1 stat:ENROUTE"), Receipt("a1", S.ENROUTE, "")),
        ("a word nobody knows", receipt(b"id:a1 stat:BLURRED"), Receipt("a1", S.UNKNOWN, "")),
        ("message_id", receipt(b"message_id:a1 stat:DELIVRD"), Receipt("a1", S.DELIVRD, "")),
        ("an id with dashes", receipt(b"id:3f2c-11ee:7 stat:DELIVRD"), Receipt("3f2c-11ee:7", S.DELIVRD, "")),
        ("parameters only", receipt(tlv_id="a1", tlv_state=5), Receipt("a1", S.UNDELIV, "")),
        (
            "parameters before the text",
            receipt(APPENDIX_B, tlv_id="a1", tlv_state=3),
            Receipt("a1", S.EXPIRED, ""),
        ),
        (
            "id in a parameter, state in the text",
            receipt(APPENDIX_B, tlv_id="a1"),
            Receipt("a1", S.DELIVRD, ""),
        ),
        (
            "a state nobody knows",
            receipt(APPENDIX_B, tlv_id="a1", tlv_state=99),
            Receipt("a1", S.DELIVRD, ""),
        ),
        ("UCS-2", receipt("id:a1 stat:DELIVRD".encode("utf-16-be"), coding=8), Receipt("a1", S.DELIVRD, "")),
        (
            "the shopper's words are no field",
            receipt(b"id:a1 stat:DELIVRD err:000 text:id:b2 stat:EXPIRED"),
            Receipt("a1", S.DELIVRD, ""),
        ),
        ("the word sub holds no id", receipt(b"paid:7 stat:DELIVRD"), None),
        ("no id", receipt(b"stat:DELIVRD err:000"), None),
        ("no state", receipt(b"id:a1"), None),
        ("an empty id", receipt(b"id: sub:001 stat:DELIVRD err:000"), None),
        ("an empty state", receipt(b"id:a1 sub:001 stat: err:000 text:"), None),
        ("nothing", receipt(), None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_receipt(what: str, message: DeliverSm, expected: Receipt | None) -> None:
    del what
    assert read_receipt(message) == expected


@pytest.mark.parametrize("form", VENDORS, ids=[form["vendor"] for form in VENDORS])
def test_the_forms_of_vendors(form: dict[str, str]) -> None:
    expected = Receipt(form["id"], S(form["state"]), form.get("error", ""))
    assert read_receipt(receipt(form["text"].encode())) == expected
    assert read_receipt(receipt(form["text"].encode() + b"\0")) == expected
    assert read_receipt(receipt(form["text"].encode("utf-16-be"), coding=8)) == expected


@pytest.mark.parametrize(
    ("message", "cause"),
    [
        (receipt(b"id:a1 stat:DELIVRD err:001"), None),
        (receipt(b"id:a1 stat:REJECTD err:000"), "REJECTD"),
        (receipt(b"id:a1 stat:UNDELIV err:027"), "UNDELIV 027"),
        (receipt(b"id:a1 stat:UNDELIV err:0123456789abcdef"), "UNDELIV 0123456789ab"),
        (receipt(b"id:a1 stat:UNDELIV err:027", network_error=1), "UNDELIV 1"),
        (receipt(tlv_id="a1", tlv_state=3, network_error=34), "EXPIRED 34"),
    ],
)
def test_why_it_did_not_arrive(message: DeliverSm, cause: str | None) -> None:
    got = read_receipt(message)
    assert got is not None
    assert got.cause == cause


@given(st.binary(max_size=254), st.text(max_size=64), st.integers(0, 255), st.sampled_from([0, 8]))
def test_any_message_gives_a_receipt_or_none(body: bytes, tlv_id: str, tlv_state: int, coding: int) -> None:
    got = read_receipt(receipt(body, tlv_id=tlv_id, tlv_state=tlv_state, coding=coding))
    assert got is None or (got.message_id and got.state in ReceiptState)
