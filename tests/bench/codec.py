"""`make bench-codec`: what a PDU costs to read or to build, ours beside smpplib's (the codec floor).

One process, one core, no network. Each line is the best of some rounds. Prints a table; the last line is one
JSON object.

    python -m tests.bench.codec [--n 20000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from smpp.protocol import statuses, wire
from smpp.protocol.pdus import SubmitSm
from smpp.protocol.receipts import read_receipt
from tests.bench import machine
from tests.bench import wire as raw
from tests.bench.codec_floor import ANSWER, ANSWER_UCS2, make_pdu, parse_pdu

SOURCE: Final = b"380671234567"
UDH: Final = b"\x05\x00\x03\x21\x03\x01"
PART: Final = UDH + "Мій код 1234567890123 з кришки".ljust(67, ".").encode("utf-16-be")
MESSAGE_ID: Final = "19ab3c77"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A PDU with both ways to read or build it; `of_activation`: it is one of the four of an activation."""

    name: str
    ours: Callable[[], object]
    floor: Callable[[], object]
    of_activation: bool = False


class _Sequence:
    """What smpplib wants of a client."""

    sequence = 7

    def next_sequence(self) -> int:
        return self.sequence


def lines() -> list[Line]:
    """All PDUs of which there is one or more a message."""
    client = _Sequence()

    def parse(pdu: bytes) -> Any:
        return parse_pdu(pdu, client=client, allow_unknown_opt_params=True)

    def make(command: str, **fields: Any) -> bytes:
        return bytes(make_pdu(command, client=client, **fields).generate())

    def text(body: bytes, coding: int, esm_class: int = 0) -> bytes:
        return raw.deliver_sm(
            source=SOURCE, destination=b"4040", text=body, coding=coding, sequence=7, esm_class=esm_class
        )

    def submit(body: bytes, coding: int) -> Callable[[], bytes]:
        return lambda: make(
            "submit_sm",
            source_addr_ton=3,
            source_addr="4040",
            dest_addr_ton=1,
            dest_addr_npi=1,
            destination_addr=SOURCE.decode(),
            data_coding=coding,
            registered_delivery=1,
            short_message=body,
        )

    def ours_submit(body: bytes, coding: int) -> Callable[[], object]:
        message = SubmitSm("4040", 3, 0, SOURCE.decode(), 1, 1, 0, coding, body, 1)
        return lambda: wire.encode_submit(message, 7)

    short, part = text(b"Code 1234567890123", raw.GSM), text(PART, raw.UCS2, raw.ESM_UDHI)
    answered = raw.pdu(raw.RESPONSE | raw.SUBMIT_SM, 0, 7, MESSAGE_ID.encode() + b"\0")
    submitted = raw.Submit(b"4040", SOURCE, 0, 1, 0, ANSWER)
    receipt = raw.receipt(submitted, MESSAGE_ID.encode(), 7)

    def read_ours() -> object:
        message = wire.decode_deliver(7, receipt, 0, len(receipt))
        return read_receipt(message)  # type: ignore[arg-type]

    return [
        Line(
            name="deliver_sm, read",
            ours=lambda: wire.decode_deliver(7, short, 0, len(short)),
            floor=lambda: parse(short),
            of_activation=True,
        ),
        Line(
            name="deliver_sm, a part, read",
            ours=lambda: wire.decode_deliver(7, part, 0, len(part)),
            floor=lambda: parse(part),
        ),
        Line(name="receipt, read (ours: and understood)", ours=read_ours, floor=lambda: parse(receipt)),
        Line(
            name="deliver_sm_resp, built",
            ours=lambda: wire.encode_answer(wire.DELIVER_SM_RESP, statuses.ROK, 7),
            floor=lambda: make("deliver_sm_resp"),
            of_activation=True,
        ),
        Line(
            name="submit_sm in GSM, built",
            ours=ours_submit(ANSWER, 0),
            floor=submit(ANSWER, 0),
            of_activation=True,
        ),
        Line(
            name="submit_sm in UCS-2, built",
            ours=ours_submit(ANSWER_UCS2, raw.UCS2),
            floor=submit(ANSWER_UCS2, raw.UCS2),
        ),
        Line(
            name="submit_sm_resp, read",
            ours=lambda: wire.decode_answer(0, answered, 0, len(answered)),
            floor=lambda: parse(answered),
            of_activation=True,
        ),
    ]


def best_us(deed: Callable[[], object], n: int, rounds: int) -> float:
    """CPU microseconds of one call, in the best of the rounds."""
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(n):
            deed()
        best = min(best, time.process_time() - start)
    return best / n * 1e6


def bench(n: int, rounds: int) -> dict[str, Any]:
    """Everything; returns the last line's object."""
    print(f"{'PDU':38} {'ours µs':>8} {'smpplib µs':>11} {'times':>6}")
    told: dict[str, dict[str, float]] = {}
    ours_sum = floor_sum = 0.0
    for line in lines():
        ours, floor = best_us(line.ours, n, rounds), best_us(line.floor, n, rounds)
        print(f"{line.name:38} {ours:8.2f} {floor:11.2f} {floor / ours:6.1f}", flush=True)
        told[line.name] = {"ours_us": round(ours, 3), "floor_us": round(floor, 3)}
        ours_sum += ours * line.of_activation
        floor_sum += floor * line.of_activation
    return {
        "bench": "codec",
        "n": n,
        "pdus": told,
        "activation_us": round(ours_sum, 2),
        "activation_us_floor": round(floor_sum, 2),
        "cpu_s_per_1000": round(ours_sum / 1000, 5),
        "cpu_s_per_1000_floor": round(floor_sum / 1000, 5),
        "machine": asdict(machine.machine()),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=20_000, help="calls a round")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(json.dumps(bench(arguments.n, arguments.rounds), ensure_ascii=False))


if __name__ == "__main__":
    main()
