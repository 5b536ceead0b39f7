"""How the parts of a running gateway stand, judged from what they tell. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

LAG_DEGRADED_S = 10.0  # a shopper begins to wonder where the confirmation is
LAG_FAILED_S = 300.0
SWEEP_STILL_S = 15.0  # a sweep of blasts begins four times a second


class Grade(StrEnum):
    """The worst grade of a part is the grade of the whole."""

    OK = "ok"
    DEGRADED = "degraded"  # works, and somebody should look
    FAILED = "failed"


WORSE = (Grade.OK, Grade.DEGRADED, Grade.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part and how it stands; `told` is one line for an operator, without numbers or codes of shoppers."""

    name: str
    grade: Grade
    told: str


def worst(parts: Sequence[Part]) -> Grade:
    """The grade of the whole."""
    return max((part.grade for part in parts), key=WORSE.index, default=Grade.OK)


def links(said: Mapping[str, str | None]) -> Part:
    """The links to SMSCs by the state that their holder tells; None where no process holds a link."""
    if said and not any(said.values()):
        return Part(
            name="links", grade=Grade.FAILED, told="no smpp process reports: is `undercap smpp` running?"
        )
    states = {name: state or "unheld" for name, state in said.items()}
    bound = [name for name, state in states.items() if state == "bound"]
    told = ", ".join(f"{name} {state}" for name, state in sorted(states.items())) or "none configured"
    if len(bound) == len(states):
        return Part(name="links", grade=Grade.OK, told=told)
    return Part(name="links", grade=Grade.DEGRADED if bound else Grade.FAILED, told=told)


def worker(said: Mapping[str, Any] | None) -> Part:
    """The worker, from what it says of itself; None when it says nothing."""
    if said is None:
        return Part(
            name="worker", grade=Grade.FAILED, told="no worker reports: is `undercap worker` running?"
        )
    if said.get("ledger"):
        return Part(
            name="worker", grade=Grade.DEGRADED, told=f"the ledger is away ({said['ledger']}); texts wait"
        )
    return Part(name="worker", grade=Grade.OK, told="runs")


def blasts(said: Mapping[str, Any] | None) -> Part:
    """The process that runs blasts, from what it says of itself; None when it says nothing.

    Never failed: no shopper waits for marketing, so the gateway may be given work without it.
    """
    if said is None:
        told = "no blasts process reports: is `undercap blasts` running?"
    elif said["swept_s"] >= SWEEP_STILL_S:
        told = f"its sweep stands still for {said['swept_s']:.0f} s: end the process, `up` starts it again"
    elif said["fault"]:
        told = f"its stores are away ({said['fault']}); blasts wait"
    else:
        return Part(name="blasts", grade=Grade.OK, told="runs")
    return Part(name="blasts", grade=Grade.DEGRADED, told=told)


def settlement(oldest_s: float, texts: int) -> Part:
    """How far the ledger is behind."""
    told = f"{texts} texts wait, the oldest for {oldest_s:.0f} s" if texts else "nothing waits"
    if oldest_s < LAG_DEGRADED_S:
        return Part(name="settlement", grade=Grade.OK, told=told)
    return Part(
        name="settlement", grade=Grade.DEGRADED if oldest_s < LAG_FAILED_S else Grade.FAILED, told=told
    )


def suspects(count: int, oldest_s: float) -> Part:
    """Texts that fail while others are settled. Never failed: the others are."""
    if not count:
        return Part(name="suspects", grade=Grade.OK, told="none")
    told = f"{count} texts fail and are tried again, the oldest for {oldest_s:.0f} s: see the worker's log"
    grade = Grade.OK if oldest_s < LAG_DEGRADED_S else Grade.DEGRADED
    return Part(name="suspects", grade=grade, told=told)


def dead_letters(texts: int, outcomes: int = 0, receipts: int = 0) -> Part:
    """What could not be written to SQL and waits for somebody."""
    counted = (("texts", texts), ("outcomes", outcomes), ("receipts", receipts))
    found = ", ".join(f"{count} {what}" for what, count in counted if count)
    if not found:
        return Part(name="dead_letters", grade=Grade.OK, told="none")
    return Part(name="dead_letters", grade=Grade.DEGRADED, told=f"{found}: see `undercap dead list`")


def calls(faults: Mapping[str, str]) -> Part:
    """The processes that take and make calls: what is in the way of each, by its name; empty: nothing.

    Never failed: texts go on without.
    """
    broken = sorted({fault for fault in faults.values() if fault})
    if not faults:
        told = "no ivr process reports: is `undercap ivr` running?"
    elif broken:
        told = "; ".join(broken)
    else:
        return Part(name="calls", grade=Grade.OK, told=f"{len(faults)} processes")
    return Part(name="calls", grade=Grade.DEGRADED, told=told)
