"""User data headers and SAR parameters, well formed and not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpp.protocol import concatenation
from smpp.protocol.concatenation import UserData
from smpp.protocol.pdus import Part


@pytest.mark.parametrize(
    ("what", "data", "expected"),
    [
        ("8-bit reference", b"\x05\x00\x03\xfe\x02\x01text", (Part(0xFE, 2, 1), b"text")),
        ("16-bit reference", b"\x06\x08\x04\x01\xfe\x03\x03text", (Part(0x1FE, 3, 3), b"text")),
        ("port first", b"\x0b\x05\x04\x15\x8a\0\0\x00\x03\x07\x02\x02text", (Part(7, 2, 2), b"text", 0x158A)),
        ("port only", b"\x06\x05\x04\x15\x8a\0\0text", (None, b"text", 0x158A)),
        ("narrow ports", b"\x04\x04\x02\xe2\0text", (None, b"text", 0xE2)),
        ("an empty header", b"\x00text", (None, b"text")),
        ("number 0", b"\x05\x00\x03\x07\x02\x00text", (None, b"text")),
        ("number over total", b"\x05\x00\x03\x07\x02\x03text", (None, b"text")),
        ("total 0", b"\x05\x00\x03\x07\x00\x01text", (None, b"text")),
        ("one part is whole", b"\x05\x00\x03\x07\x01\x01text", (None, b"text")),
        ("element cut by the header's end", b"\x04\x00\x03\x07\x02text", (None, b"text")),
        ("half an element", b"\x01\x00text", (None, b"text")),
        ("header as long as the message", b"\x04text", (None, b"")),
        ("header longer than the message", b"\x05text", None),
        ("nothing", b"", None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_split_header(what: str, data: bytes, expected: tuple[Any, ...] | None) -> None:
    del what
    part, rest, port = (*expected, None)[:3] if expected else (None, b"", None)
    assert concatenation.split_header(data) == (UserData(part, port, rest) if expected else None)


@pytest.mark.parametrize(
    ("what", "tlvs", "expected"),
    [
        ("all three", {0x020C: b"\x01\xfe", 0x020E: b"\x02", 0x020F: b"\x01"}, Part(0x1FE, 2, 1)),
        ("one missing", {0x020C: b"\x01\xfe", 0x020F: b"\x01"}, None),
        ("empty values", {0x020C: b"", 0x020E: b"", 0x020F: b""}, None),
        ("total out of bounds", {0x020C: b"\0\1", 0x020E: b"\1\0", 0x020F: b"\x01"}, None),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_from_parameters(what: str, tlvs: dict[int, bytes], expected: Part | None) -> None:
    del what
    assert concatenation.from_parameters(tlvs) == expected


@given(st.integers(0, 0xFFFF), st.integers(2, 255), st.data(), st.binary(max_size=130))
def test_a_header_of_ours_is_read(reference: int, total: int, data: st.DataObject, text: bytes) -> None:
    part = Part(reference, total, data.draw(st.integers(1, total)))
    assert concatenation.split_header(concatenation.header(part, wide=True) + text) == UserData(
        part, None, text
    )
    narrow = part._replace(reference=reference & 0xFF)
    assert concatenation.split_header(concatenation.header(part) + text) == UserData(narrow, None, text)


@given(st.binary(max_size=150))
def test_any_octets_are_split_or_refused(data: bytes) -> None:
    split = concatenation.split_header(data)
    assert split is None or data.endswith(split.rest)
