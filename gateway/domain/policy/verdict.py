"""What can be decided of one marketing message or call: a closed set."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why not, or why not now. Counted, told to marketers, kept with each recipient: in 20 characters."""

    # For good.
    WITHDRAWN = "withdrawn"  # the person said no
    NO_CONSENT = "no_consent"  # the pack wants a recorded yes, and there is none
    NO_POLICY = "no_policy"  # no pack covers the number
    NO_ZONE = "no_zone"  # a pack does, and does not know where the person is
    FORBIDDEN = "forbidden"  # the pack does not allow this channel
    ATTEMPTS = "attempts"  # as many as the pack allows were made
    CANCELLED = "cancelled"  # the blast was
    NO_BLAST = "no_blast"  # nobody says that this blast runs
    MAY_HAVE_LEFT = "may_have_left"  # the ledger has noted its submit before
    # Until later.
    HOURS = "hours"  # outside the hours, somewhere where the person may be
    DAY = "day"  # a day of rest there
    CAP_DAY = "cap_day"  # enough contacts in 24 hours
    CAP_WEEK = "cap_week"  # enough contacts in 7 days
    PAUSED = "paused"  # the blast is; when it goes on, its owner knows


UNTIL_LATER: Final = (Reason.HOURS, Reason.DAY, Reason.CAP_DAY, Reason.CAP_WEEK, Reason.PAUSED)
FOR_GOOD: Final = tuple(reason for reason in Reason if reason not in UNTIL_LATER)


@dataclass(frozen=True, slots=True)
class Allow:
    """Now; for half a second."""


@dataclass(frozen=True, slots=True)
class Defer:
    """Not now. `until`: the first moment at which it may be asked again, ms since 1970."""

    until: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Deny:
    """Not at all."""

    reason: Reason


Decision = Allow | Defer | Deny
