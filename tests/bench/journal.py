"""What the load generator saw, message by message, and the figures that follow from it."""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.bench import wire

_DIGITS: Final = re.compile(r"\d+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mo:
    """A text that a shopper sends: `text` is encoded as `coding` (data_coding) says."""

    sender: bytes
    text: bytes
    coding: int
    code: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Spread:
    """Median and 99th percentile of a set of times, in milliseconds; NaN where there were none."""

    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """The outcome of one run. `seconds` is from the first text sent to the last confirmation."""

    n: int
    seconds: float
    per_s: float
    response: Spread
    confirmation: Spread
    lost: int
    doubled: int
    refused: int
    resent: int
    receipts: int


@dataclass(kw_only=True, slots=True)
class Journal:
    """The SMSC's own record of a run; times are `time.monotonic()` seconds, 0 where it never came.

    `replies` holds the texts that arrived for each sender, in order; a sender's k-th reply confirms its
    k-th text. `statuses` counts every answer to a `deliver_sm` by its command_status.
    """

    messages: Sequence[Mo]
    sent_at: list[float]
    answered_at: list[float]
    confirmed_at: list[float]
    sendings: list[int]
    statuses: Counter[int] = field(default_factory=Counter)
    replies: dict[bytes, list[tuple[int, bytes]]] = field(default_factory=dict)
    segments: int = 0
    strangers: int = 0  # replies to a number that never wrote
    receipts: int = 0
    receipts_refused: int = 0

    @classmethod
    def of(cls, messages: Sequence[Mo]) -> Journal:
        """An empty journal for these messages."""
        n = len(messages)
        return cls(
            messages=messages,
            sent_at=[0.0] * n,
            answered_at=[0.0] * n,
            confirmed_at=[0.0] * n,
            sendings=[0] * n,
        )

    @property
    def acknowledged(self) -> list[int]:
        """Indices of the messages that were answered with ESME_ROK."""
        return [i for i, at in enumerate(self.answered_at) if at]

    def figures(self) -> Figures:
        """Speed, times, and what was lost or doubled."""
        texts = Counter(mo.sender for mo in self.messages)
        got = {sender: len(found) for sender, found in self.replies.items()}
        ends = [t for t in self.confirmed_at if t] or [t for t in self.answered_at if t]
        seconds = max(ends) - min(t for t in self.sent_at if t) if ends else math.nan
        return Figures(
            n=len(self.messages),
            seconds=seconds,
            per_s=sum(1 for t in self.confirmed_at if t) / seconds if ends else 0.0,
            response=spread(_gaps(self.sent_at, self.answered_at)),
            confirmation=spread(_gaps(self.sent_at, self.confirmed_at)),
            lost=sum(max(0, n - got.get(sender, 0)) for sender, n in texts.items()),
            doubled=sum(max(0, n - texts[sender]) for sender, n in got.items()) + self.strangers,
            refused=sum(n for status, n in self.statuses.items() if status),
            resent=sum(max(0, n - 1) for n in self.sendings),
            receipts=self.receipts,
        )

    def shapes(self) -> Counter[str]:
        """The replies, counted, with every number in them replaced by `#`."""
        return Counter(
            _DIGITS.sub("#", decoded(coding, text))
            for found in self.replies.values()
            for coding, text in found
        )

    def write_csv(self, path: Path) -> None:
        """One line a message: the sender's last two digits, sendings, and the times in ms after the first."""
        start = min((t for t in self.sent_at if t), default=0.0)
        with path.open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(["index", "sender", "sendings", "sent_ms", "answered_ms", "confirmed_ms"])
            for i, mo in enumerate(self.messages):
                times = (self.sent_at[i], self.answered_at[i], self.confirmed_at[i])
                shown = [f"{(t - start) * 1000:.2f}" if t else "" for t in times]
                out.writerow([i, f"*{mo.sender[-2:].decode()}", self.sendings[i], *shown])


def decoded(coding: int, text: bytes) -> str:
    """The characters of a reply, near enough to compare: UCS-2, else one byte a character."""
    return text.decode("utf-16-be", "replace") if coding == wire.UCS2 else text.decode("latin-1")


def spread(seconds: Iterable[float]) -> Spread:
    """Median and 99th percentile (nearest rank) of times in seconds."""
    ordered = sorted(seconds)
    if not ordered:
        return Spread(p50_ms=math.nan, p99_ms=math.nan)
    return Spread(p50_ms=_rank(ordered, 0.50) * 1000, p99_ms=_rank(ordered, 0.99) * 1000)


def _rank(ordered: Sequence[float], share: float) -> float:
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _gaps(starts: Sequence[float], ends: Sequence[float]) -> Iterable[float]:
    return (end - start for start, end in zip(starts, ends, strict=True) if end)
