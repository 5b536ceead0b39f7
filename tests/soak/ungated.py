"""Runs a command of ours with a gate that allows everything: the soak must notice.

python -m tests.soak.ungated undercap smpp
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from gateway.domain.consent.word import Channel, Consent
from gateway.domain.policy.basis import Basis
from gateway.domain.policy.verdict import Allow
from gateway.entry.cli import main
from gateway.usecases.consent.gate import Gate, Question, Verdict


async def allow_all(_: Gate, questions: Sequence[Question]) -> list[Verdict]:
    """What no gate may say."""
    return [
        Verdict(
            decision=Allow(),
            asked_at=time.monotonic(),
            basis=Basis(q.shopper, q.blast, Channel.SMS, Consent.GIVEN, 0, "none", 0),
        )
        for q in questions
    ]


if __name__ == "__main__":
    setattr(Gate, "ask", allow_all)  # noqa: B010 - what it is has another type
    sys.argv = sys.argv[1:]
    main()
