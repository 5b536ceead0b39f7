"""What can come of a text, a web activation or a code in it; answers and metrics use the same words."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """The closed set of outcomes; nothing else is ever stored, counted or answered."""

    ACTIVATED = "activated"  # credited now
    ALREADY_USED = "already_used"  # somebody else has it
    ALREADY_YOURS = "already_yours"  # the same shopper again
    INVALID = "invalid"  # no code of a running campaign; counts as a guess
    OPT_OUT = "opt_out"
    OPT_OUT_FIRM = "opt_out_firm"  # of one firm of several at a short number
    OPT_IN = "opt_in"
    HELP = "help"
    ALIAS = "alias"
    BALANCE = "balance"
    INVITE = "invite"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    PAUSED = "paused"
    LIMITED = "limited"  # over a limit: not looked up, nothing claimed
    UNKNOWN = "unknown"  # understood as nothing; never counts as a guess
