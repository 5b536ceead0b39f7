"""A blast as it goes, on a terminal: how far it is, how fast, and what becomes of its texts or calls."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any, Final

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from campaigns.context import Desk
from campaigns.lifecycle import lifecycle
from campaigns.shown import views
from campaigns.shown.results import Results, results
from gateway.domain.offers.blast import ENDED
from gateway.domain.offers.least_count import LEAST
from gateway.entry.commands.offers.marketing import result_rows
from gateway.entry.commands.tables import two_columns
from gateway.store.offers.blasts import Blast

LOOK_EVERY_S: Final = 1.0
_OVER_LOOKS: Final = 15  # its speed is that of the last looks


def watch(desk: Desk, firm_id: int, blast_id: int) -> None:
    """Until the blast is over, or Ctrl-C."""
    progress = Progress(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    task = progress.add_task("drawn", total=None)
    seen: deque[tuple[float, int]] = deque(maxlen=_OVER_LOOKS)
    with Live(refresh_per_second=4) as live:
        while True:
            blast = lifecycle.of_firm(desk, firm_id, blast_id)
            found = results(desk.engine, blast)
            drawn, expected = (n // LEAST * LEAST for n in (blast.drawn, max(blast.expected, blast.drawn)))
            progress.update(task, completed=drawn, total=expected or None)
            seen.append((time.monotonic(), _left(found)))
            shown = views.results(found, blast.id, desk.veil(firm_id))
            live.update(Group(progress, two_columns("", _rows(blast, shown, _per_s(seen)))))
            if blast.state in ENDED:
                return
            time.sleep(LOOK_EVERY_S)


def _rows(blast: Blast, shown: Mapping[str, Any], per_s: float) -> dict[str, object]:
    rows = result_rows(shown)
    for later in ("activated", "cancelled", "not_reached"):  # what `undercap blast results` tells
        rows.pop(later)
    return {
        "state": f"{blast.state.value}: {blast.why}" if blast.why else blast.state.value,
        "people done a second" if blast.call else "texts a second": f"{per_s:.1f}",
        **{word.replace("_", " "): value for word, value in rows.items()},
    }


def _left(found: Results) -> int:
    """Texts that an SMSC has taken, or people who are not called any more."""
    if found.calls is not None:
        return sum(found.calls.by_outcome.values())
    return found.sent + found.delivered + sum(found.failed.values())


def _per_s(seen: deque[tuple[float, int]]) -> float:
    (begun, before), (now, count) = seen[0], seen[-1]
    return (count - before) / (now - begun) if now > begun else 0.0
