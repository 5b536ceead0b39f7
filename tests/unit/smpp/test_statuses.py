"""What an SMSC's refusal means for the message."""

from __future__ import annotations

import pytest

from smpp.statuses import Verdict, verdict


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (0x00, Verdict.ACCEPTED),
        (0x58, Verdict.THROTTLED),
        (0x14, Verdict.THROTTLED),
        (0x08, Verdict.TEMPORARY),
        (0x64, Verdict.TEMPORARY),
        (0x04, Verdict.TEMPORARY),
        (0x0B, Verdict.PERMANENT),
        (0x01, Verdict.PERMANENT),
        (0x0400, Verdict.PERMANENT),
    ],
    ids=lambda value: hex(value) if isinstance(value, int) and not isinstance(value, Verdict) else str(value),
)
def test_verdict(status: int, expected: Verdict) -> None:
    assert verdict(status) is expected
