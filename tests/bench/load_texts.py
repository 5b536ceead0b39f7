"""What the shoppers of a load run type, and from which numbers."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tests.bench import wire
from tests.bench.journal import Mo

CODES_A_SENDER: Final = 3
FIRST_NUMBER: Final = 380_670_000_000
LATIN: Final = ("{}", "Code {}", "code: {} thanks")
CYRILLIC: Final = "Мій код {}"


def read_series(path: Path) -> dict[str, int]:
    """Code -> serial, from a file that `undercap codes generate` wrote (columns serial, code)."""
    with path.open(newline="", encoding="utf-8") as file:
        return {row["code"]: int(row["serial"]) for row in csv.DictReader(file)}


def number(index: int) -> bytes:
    """The `index`-th shopper's number, as SMPP carries it: international, without a plus."""
    return str(FIRST_NUMBER + index * 7).encode()


def activations(codes: Sequence[str], *, first_sender: int = 0) -> list[Mo]:
    """A text a code: every third in Cyrillic (UCS-2), no sender with more than three, well spread.

    The texts of one sender stand far apart, so that each is answered before the next one leaves.
    """
    senders = max(1, math.ceil(len(codes) / CODES_A_SENDER))
    found = []
    for i, code in enumerate(codes):
        sender = number(first_sender + i % senders)
        if i % 3 == 0:
            text, coding = CYRILLIC.format(code).encode("utf-16-be"), wire.UCS2
        else:
            text, coding = LATIN[i % len(LATIN)].format(code).encode("ascii"), wire.GSM
        found.append(Mo(sender=sender, text=text, coding=coding, code=code))
    return found
