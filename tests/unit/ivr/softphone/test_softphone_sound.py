"""Packets of sound: what is taken from them, and the silence that is sent."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.softphone.sound import MOST_SAMPLES, SAMPLES, SILENCE, payload, silence

SOUND = bytes(range(160))


def packet(first: int = 0x80, kind: int = 8, rest: bytes = SOUND) -> bytes:
    return struct.pack("!BBHII", first, kind, 7, 1120, 0x5EED) + rest


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        pytest.param(packet(), SOUND, id="sound"),
        pytest.param(packet(kind=0x88), SOUND, id="with the marker"),
        pytest.param(packet(0x82, rest=bytes(8) + SOUND), SOUND, id="with two sources"),
        pytest.param(packet(0x90, rest=b"\xbe\xde\0\1abcd" + SOUND), SOUND, id="with an extension"),
        pytest.param(packet(0xA0, rest=SOUND + b"\0\0\0\4"), SOUND, id="with padding"),
        pytest.param(packet(kind=0), None, id="another codec"),
        pytest.param(packet(0x40), None, id="another version"),
        pytest.param(packet(rest=b""), None, id="nothing in it"),
        pytest.param(packet(0x8F, rest=bytes(8)), None, id="sources that are missing"),
        pytest.param(packet(0x90, rest=b"\xbe\xde\xff\xff"), None, id="an extension that is missing"),
        pytest.param(packet(0xA0, rest=SOUND + b"\xff"), None, id="padding longer than the packet"),
        pytest.param(packet(rest=bytes(MOST_SAMPLES + 1)), None, id="too much at once"),
        pytest.param(b"\x80\x08", None, id="cut"),
        pytest.param(b"", None, id="empty"),
    ],
)
def test_the_sound_of_a_packet(octets: bytes, expected: bytes | None) -> None:
    assert payload(octets) == expected


@given(st.binary(max_size=64))
def test_no_packet_raises(octets: bytes) -> None:
    found = payload(octets)
    assert found is None or 0 < len(found) < len(octets)


def test_silence_counts_packets_and_samples() -> None:
    heads = [struct.unpack("!BBHII", silence(number, 9)[:12]) for number in (0, 1, 65537)]
    assert heads == [(0x80, 0x88, 0, 0, 9), (0x80, 8, 1, SAMPLES, 9), (0x80, 8, 1, 65537 * SAMPLES, 9)]
    assert payload(silence(1, 9)) == SILENCE
