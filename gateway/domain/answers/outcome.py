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
    AGREED_CALLED = "agreed_called"  # to offers, through a call, whose number can be forged
    HELP = "help"
    ALIAS = "alias"
    ALIAS_CALLED = "alias_called"  # asked for through a call, whose number can be forged
    ALIAS_PROVED = "alias_proved"  # the first text after a call: the alias may spend
    NEW_ALIAS = "new_alias"
    ALIAS_KEPT = "alias_kept"  # a new one was asked for too often
    BALANCE = "balance"
    INVITE = "invite"
    NOT_STARTED = "not_started"
    ENDED = "ended"
    PAUSED = "paused"
    LIMITED = "limited"  # over a limit: not looked up, nothing claimed
    UNKNOWN = "unknown"  # understood as nothing; never counts as a guess
