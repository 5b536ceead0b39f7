"""How a child tells its supervisor that it is ready, or why it gives up.

A pipe whose number stands in the environment carries one JSON object a line. A process that was started
by hand has no such pipe: everything here then does nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

# Not UNDERCAP_...: every variable with that prefix must be a setting.
VARIABLE = "_UNDERCAP_STATUS_FD"
LONGEST_REASON = 500  # characters; with its envelope under PIPE_BUF, so that a line is written whole


def supervised() -> bool:
    """True if a supervisor listens."""
    return VARIABLE in os.environ


def ready(addresses: Mapping[str, str] | None = None) -> None:
    """Say that this process does its work now.

    `addresses`: what an operator may open, by name, for the supervisor's summary
    (`{"API": "http://127.0.0.1:8080"}`).
    """
    _tell({"ready": dict(addresses or {})})


def fault(reason: str) -> bool:
    """Say why this process ends. True if a supervisor heard it, which then tells the operator."""
    return _tell({"fault": one_line(reason)})


def one_line(text: str) -> str:
    """`text` as one line of bounded length, for a log or the supervisor."""
    line = "; ".join(part.strip() for part in text.splitlines() if part.strip())
    return line if len(line) <= LONGEST_REASON else line[: LONGEST_REASON - 1] + "…"


def _tell(message: Mapping[str, object]) -> bool:
    number = os.environ.get(VARIABLE)
    if number is None:
        return False
    try:
        os.write(int(number), json.dumps(message).encode() + b"\n")
    except (OSError, ValueError):  # the supervisor is gone; nobody is left to be told
        return False
    return True
