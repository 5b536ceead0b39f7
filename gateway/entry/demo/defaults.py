"""What a demo is told where nobody has chosen: ports and a password of its own, repeats that count soon."""

from __future__ import annotations

import os
import secrets
import socket
from typing import Final

from config.section import Section
from config.settings import Settings
from gateway.entry.supervision import up_lock

MOST_TRIED: Final = 50
_PASSWORD_BYTES: Final = 4  # SMPP 3.4 allows eight characters
_REDELIVERY_S: Final = 10  # who tries things out texts a used code again within ten minutes


def offer(settings: Settings) -> None:
    """Put into the environment what the processes of `up --demo` are told.

    The password is new each time, so the SMPP process of one demo cannot bind to the simulator of another. A
    port that nobody has chosen moves on to the next free one, unless a former run here holds it.
    """
    os.environ.setdefault("UNDERCAP_SIMULATOR__PASSWORD", secrets.token_hex(_PASSWORD_BYTES))
    if "redelivery_window_s" not in settings.answers.model_fields_set:
        os.environ["UNDERCAP_ANSWERS__REDELIVERY_WINDOW_S"] = str(_REDELIVERY_S)
    if up_lock.in_use(settings.state_dir):
        return
    chosen: set[int] = set()
    for section, host, of in (
        ("http", settings.http.host, settings.http),
        ("simulator", settings.simulator.host, settings.simulator),
    ):
        for name in ("port", "http_port", "smpp_port"):
            if _is_open(of, name):
                found = _free(host, getattr(of, name), chosen)
                chosen.add(found)
                os.environ[f"UNDERCAP_{section}__{name}".upper()] = str(found)


def _is_open(section: Section, name: str) -> bool:
    """Whether it is a port of this section that nobody has set."""
    return name in type(section).model_fields and name not in section.model_fields_set


def _free(host: str, first: int, taken: set[int]) -> int:
    """The first port from `first` on that can be listened on; `first` itself where there is none."""
    return next(
        (p for p in range(first, first + MOST_TRIED) if p not in taken and _can_be_had(host, p)), first
    )


def _can_be_had(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family):
            return True
    except OSError:
        return False
