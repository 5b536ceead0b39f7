"""What one side of FastAGI may ask of the other; Asterisk stays far below, an attacker would not."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AgiLimits:
    """Sizes in octets, times in seconds."""

    most_calls: int  # connections at once; a further one is closed at once
    call_s: float  # from the connection to its end
    first_line_s: float = 5.0
    environment_s: float = 5.0  # for all of it, from its first line
    answer_s: float = 5.0  # to a command that is done at once
    playing_s: float = 120.0  # beyond what a command waits for keys: the longest list of prompts
    most_line: int = 4096
    most_lines: int = 64  # of the environment, and of a usage text
    most_environment: int = 16_384
