"""Why a process that should run does not, and what follows from it. Pure: time is an argument."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

HEALTHY_S = 20.0  # a run of this length wipes the slate


class EndKind(StrEnum):
    """What has to happen before a next start can succeed."""

    CRASH = "crash"  # perhaps nothing
    SET_UP = "set-up"  # somebody changes the set-up
    STORAGE = "storage"  # somebody makes room, or mends the disk


@dataclass(frozen=True, kw_only=True, slots=True)
class End:
    """Why a process ended, or could not start."""

    kind: EndKind
    reason: str  # one line, for an operator


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """How a kind of end is followed by the next start. Times in seconds."""

    first_s: float  # the delay doubles from here
    most_s: float
    each_time: bool  # told each time, or once until it is mended
    words: str  # with {name}, {reason} and {delay}


POLICIES: dict[EndKind, Policy] = {
    EndKind.CRASH: Policy(
        first_s=0.25,
        most_s=30.0,
        each_time=True,
        words="{name} ended ({reason}); started again in {delay:g} s",
    ),
    EndKind.SET_UP: Policy(
        first_s=30.0,
        most_s=30.0,
        each_time=False,
        words="{name} cannot run: {reason} (tried again every {delay:g} s)",
    ),
    EndKind.STORAGE: Policy(
        first_s=1.0,
        most_s=10.0,
        each_time=False,
        words="{name}: {reason} (tried again until it can run)",
    ),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Next:
    """What to do after an end."""

    delay_s: float
    words: str  # empty: told before


@dataclass(frozen=True, kw_only=True, slots=True)
class Restarts:
    """What is remembered of the ends of one process."""

    failures: int = 0
    last: End | None = None  # None as long as nothing has to be mended

    def after(self, name: str, end: End, *, ready_s: float) -> tuple[Restarts, Next]:
        """`ready_s`: how long it was ready before this end, 0 if it never was."""
        before = Restarts() if ready_s >= HEALTHY_S else self
        same_kind = before.last is not None and before.last.kind == end.kind
        failures = before.failures + 1 if same_kind else 1
        policy = POLICIES[end.kind]
        delay_s = min(policy.first_s * 2 ** min(failures - 1, 16), policy.most_s)
        words = policy.words.format(name=name, reason=end.reason, delay=delay_s)
        tell = policy.each_time or before.last != end
        return Restarts(failures=failures, last=end), Next(delay_s=delay_s, words=words if tell else "")


def how_it_ended(returncode: int | None) -> str:
    """An exit code as subprocess has it, in words; None: it was not our child."""
    if returncode is None:
        return "gone"
    if returncode < 0:
        return f"killed by {signal.Signals(-returncode).name}"
    return f"exit code {returncode}"
