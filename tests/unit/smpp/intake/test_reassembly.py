"""Parts in any order, twice, interleaved: the text comes out as it was cut, on a keeper in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.store.texts.parts import Overdue, WaitingPart
from smpp.intake.reassembly import Reassembly
from smpp.protocol import wire
from smpp.protocol.pdus import DeliverSm, Part


class Memory:
    """As gateway.store.texts.parts, without a disk: a whole message is told again and again."""

    def __init__(self) -> None:
        self._parts: dict[tuple[object, int, int], dict[int, bytes]] = {}

    async def put(self, parts: Sequence[WaitingPart], now: float) -> list[bytes | None]:
        """Join in the order of the numbers."""
        del now
        joined = []
        for part in parts:
            have = self._parts.setdefault((part.origin, part.reference, part.total), {})
            have.setdefault(part.number, part.body)
            whole = len(have) == part.total
            joined.append(b"".join(have[n] for n in sorted(have)) if whole else None)
        return joined

    async def end(self, parts: Sequence[WaitingPart]) -> None:
        """Nothing is forgotten here."""

    async def due(self, now: float, limit: int = 100) -> list[Overdue]:
        """Nothing is ever late."""
        del now, limit
        return []

    async def drop(self, overdue: Overdue) -> bool:
        """Never asked."""
        del overdue
        return True


async def joined(deliveries: Sequence[bytes]) -> dict[str, set[bytes]]:
    """What came out for each shopper; each delivery by itself, as if an SMSC waited for every answer."""
    reassembly = Reassembly(Memory(), lambda: 0.0)
    whole: dict[str, set[bytes]] = {}
    for at, octets in enumerate(deliveries):
        read = wire.decode_deliver(at, octets, 0, len(octets))
        assert isinstance(read, DeliverSm)
        (text,) = await reassembly.join([read], ["peer"])
        if text is not None:
            assert (text.sequence, text.part) == (at, None)
            whole.setdefault(text.source, set()).add(text.body)
    return whole


pieces = st.lists(st.binary(max_size=120), min_size=2, max_size=9)


@settings(max_examples=150)
@given(st.lists(st.tuples(pieces, st.booleans(), st.integers(0, 1)), min_size=1, max_size=4), st.data())
def test_interleaved_parts_come_out_as_they_were_cut(
    texts: list[tuple[list[bytes], bool, int]], data: st.DataObject
) -> None:
    """Each shopper's text in 8- or 16-bit references, over the wire and back, any part twice."""
    sent: list[bytes] = []
    for shopper, (bodies, wide, reference) in enumerate(texts):
        for number, body in enumerate(bodies, 1):
            part = Part(reference + (0x100 if wide else 0), len(bodies), number)
            message = DeliverSm(len(sent) + 1, f"38067000000{shopper}", 1, 1, "4040", 0, 0, body, part)
            octets = wire.encode_deliver(message)
            assert isinstance(octets, bytes)
            sent.append(octets)
    order = data.draw(st.permutations(range(len(sent))))
    twice = data.draw(st.lists(st.sampled_from(order), max_size=5))
    whole = asyncio.run(joined([sent[at] for at in [*order, *twice]]))
    assert whole == {
        f"38067000000{shopper}": {b"".join(bodies)} for shopper, (bodies, _, _) in enumerate(texts)
    }


@given(st.binary(max_size=200), st.sampled_from([0, 0x40]), st.sampled_from([b"", b"\2\x0c\0\2\0\1"]))
def test_any_user_data_is_a_part_a_text_or_a_fault(data: bytes, esm_class: int, tlvs: bytes) -> None:
    head = b"\0\1\1380\0\3\x004040\0" + bytes((esm_class,)) + b"\0" * 7 + bytes((len(data),))
    pdu = wire.HEADER.pack(16 + len(head) + len(data) + len(tlvs), wire.DELIVER_SM, 0, 1) + head + data + tlvs
    read = wire.decode_deliver(1, pdu, 0, len(pdu))
    if isinstance(read, DeliverSm) and read.part is not None:
        assert 1 <= read.part.number <= read.part.total <= 255
        assert asyncio.run(joined([pdu])) == {}
