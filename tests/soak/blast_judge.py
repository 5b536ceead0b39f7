"""What the SMSC's journal says of the soak of a blast, held against what was done and what the API tells."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tests.peers.smsc import Submitted
from tests.soak import hours
from tests.soak.receipts import Receipts

WINDOW: Final = 20
OFFER: Final = b" at Acme"
WITHIN_S: Final = 1.0
LATEST_S: Final = 2.0  # from the gate's word, good for half a second, to our reading of the journal
_THROTTLED: Final = 0x58  # SMPP 3.4, 5.1.3


@dataclass(kw_only=True, slots=True)
class Trouble:
    """What was done to the blast, and when it was acknowledged. `held`: who was about to be sent to then.

    `steps` of the clock. `cut`: of `kills`, those of the sender. `back`: from the moment of the copy to which
    Redis was put back until it was. `noticed`: of these, how often the ledger knew more than it, so that it
    was rebuilt. `moved_s`: by how much the clock of marketing was.
    """

    moved_s: int = 0
    stopped: dict[str, float] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    paused: list[tuple[float, float]] = field(default_factory=list)
    kills: int = 0
    cut: int = 0
    steps: int = 0
    rebuilds: int = 0
    back: list[tuple[float, float]] = field(default_factory=list)
    noticed: int = 0
    upset_until: float = 0.0

    def may_be_unknown(self, taken: Sequence[float]) -> int:
        """How many texts may have left without that anybody knows; `taken`: when the SMSC took each.

        A sender that is killed holds at most a window of them. A Redis that was put back does not know what
        has left since the copy, nor what was in flight then; what the sender holds when it is put back, or
        when it is rebuilt, may have no place in the queue that follows.
        """
        forgotten = sum(copied <= at <= back for copied, back in self.back for at in taken)
        return forgotten + WINDOW * (self.cut + 2 * len(self.back) + self.rebuilds)


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What the journal says. `submits`: of offers; `throttled`: of these and of replies; `received`: people.

    `closed`, `opened`: received in each region that closes, and in the one that opens. `held`: people who
    refused while a process that stood still was about to send to them. `delivered`, `failed`: as receipts
    told; `lost`, `late`: receipts. `may_be_unknown`: for so many `unknown` the troubles account; `forgotten`:
    received, not known to the Redis that was put back; `after`: received once the stores were well again.
    """

    submits: int = 0
    throttled: int = 0
    received: int = 0
    closed: dict[str, int] = field(default_factory=dict)
    opened: int = 0
    unknown: int = 0
    delivered: int = 0
    failed: int = 0
    lost: int = 0
    late: int = 0
    stops: int = 0
    held: int = 0
    kills: int = 0
    pauses: int = 0
    withdrawn: int = 0
    steps: int = 0
    rebuilds: int = 0
    restores: int = 0
    may_be_unknown: int = 0
    forgotten: int = 0
    after: int = 0
    faults: list[str] = field(default_factory=list)


def judge(
    found: dict[str, Any],
    journal: Sequence[Submitted],
    numbers: Sequence[str],
    receipts: Receipts,
    trouble: Trouble,
) -> Verdict:
    """`found`: the blast's texts by state, as the API tells them."""
    offers = [one for one in journal if OFFER in one.body]
    taken = Counter(one.destination for one in offers if one.status == 0)
    at = [one.at for one in offers if one.status == 0]
    by_region = Counter(hours.region_of(number).zone for number in taken)
    told = Verdict(
        submits=len(offers),
        throttled=sum(one.status == _THROTTLED for one in journal),
        received=len(taken),
        closed={region.zone: by_region[region.zone] for region in hours.CLOSING},
        opened=by_region[hours.OPENING.zone],
        unknown=found["unknown"],
        delivered=found["delivered"],
        failed=sum(found["failed"].values()),
        lost=receipts.lost,
        late=receipts.late,
        stops=len(trouble.stopped),
        held=len(trouble.held),
        kills=trouble.kills,
        pauses=len(trouble.paused),
        withdrawn=len(trouble.withdrawn),
        steps=trouble.steps,
        rebuilds=trouble.rebuilds,
        restores=len(trouble.back),
        may_be_unknown=trouble.may_be_unknown(at),
        forgotten=sum(copied <= when <= back for copied, back in trouble.back for when in at),
        after=sum(when > trouble.upset_until for when in at),
    )
    late = [o for o in offers if o.at > trouble.stopped.get(o.destination, o.at) + WITHIN_S]
    paused = [o for o in offers if any(begun + WITHIN_S < o.at < end for begun, end in trouble.paused)]
    known = found["sent"] + told.delivered + told.failed
    faults = {
        "got it twice": sum(count > 1 for count in taken.values()),
        "after their STOP": len(late),
        "while it was paused": len(paused),
        **_outside(offers, trouble.moved_s),
        "strangers": len(set(taken) - set(numbers)),
        "unknown beyond what was under way": max(0, told.unknown - told.may_be_unknown),
        "told as taken and not received": max(0, known - len(taken)),
        "taken and not told, beyond the unknown": max(0, len(taken) - known - told.unknown),
        **(_receipts(told, receipts) if not trouble.back else {}),
    }
    told.faults = [f"{what}: {count}" for what, count in faults.items() if count]
    return told


def _outside(offers: Sequence[Submitted], moved_s: int) -> dict[str, int]:
    """Offers outside the hours of their own zone, by zone; whichever way the clock crossed them."""
    since = datetime.now(UTC) + timedelta(seconds=moved_s - time.monotonic())
    wrong: Counter[str] = Counter()
    for one in offers:
        region, at = hours.region_of(one.destination), since + timedelta(seconds=one.at)
        if not (region.open_at(at) or region.open_at(at - timedelta(seconds=LATEST_S))):
            wrong[f"outside the hours of {region.zone}"] += 1
    return dict(wrong)


def _receipts(told: Verdict, receipts: Receipts) -> dict[str, int]:
    """A receipt for a text of which nobody knows whether it left finds no id; every other one counts."""
    given = receipts.acknowledged
    return {
        "delivered without a receipt": max(0, told.delivered - given["delivered"]),
        "failed without a receipt": max(0, told.failed - given["failed"]),
        "receipts that had no effect": max(0, given.total() - told.delivered - told.failed - told.unknown),
    }
