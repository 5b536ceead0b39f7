"""How many recipients of a blast may be drawn by now, where it is spread over a time."""

from __future__ import annotations

from typing import Final

from gateway.store.offers.blasts import Blast

WITHOUT_END: Final = 2**31


def released(blast: Blast, now: int) -> int:
    """How many more may be drawn, or texted anew after they were deferred, at `now`, ms.

    The time during which a blast is paused does not count: nothing is made up for in a burst.
    """
    if not blast.spread_s or blast.paced_at is None:
        return WITHOUT_END
    passed_s = max(0, now - blast.paced_at) / 1000
    by_now = blast.paced_from + 1 + int(passed_s * blast.expected / blast.spread_s)
    return max(0, by_now - blast.drawn)
