"""Why a connection of Asterisk, or of somebody who only says so, was given up."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """The closed set of causes; metrics and logs use these words."""

    CROWDED = "crowded"  # as many calls as may be
    SILENT = "silent"  # nothing came in time
    TOO_LONG = "too_long"  # a line, the number of lines, or all of them together
    GARBAGE = "garbage"  # not what FastAGI says
    HALF = "half"  # it ended in the middle of the environment
    NO_ROUTE = "no_route"  # a script that nobody here plays
    REFUSED = "refused"  # Asterisk does not know the command, or has not loaded the application
    NO_SOUND = "no_sound"  # a file to be played is missing
    UNSAFE = "unsafe"  # a value of ours that would have become another command
    ENDLESS = "endless"  # the call lasts longer than any may
    OURS = "ours"  # an error that nobody expected


class AgiError(Exception):
    """The talk over this connection cannot go on: {cause}, {told}."""

    def __init__(self, fault: Fault, told: str = "") -> None:
        super().__init__(f"{fault}: {told}" if told else str(fault))
        self.fault = fault


class HungUp(Exception):
    """The caller has hung up, or Asterisk has ended the call."""
