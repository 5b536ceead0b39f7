"""`make soak-loss`: Valkey's files are deleted under load, and everything is rebuilt from SQL.

While the SMSC pushes, the append-only file is removed and Valkey killed. Intake must close with the
temporary answer until `undercap rebuild` has run; then the SMSC's waiting texts go through. What was
acknowledged and not yet settled is lost: its number is told, and its codes must be good again.

    python -m tests.soak.loss [--n 10000] [--rate 1500]
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from config import settings as settings_module
from gateway.entry.valkey import place as valkey_place
from tests.bench import wire
from tests.bench.journal import Journal, Mo
from tests.bench.load_run import TEMPORARY, Traffic
from tests.bench.load_texts import activations, number, read_series
from tests.bench.smsc_load import LoadSmsc
from tests.harness import ROOT, VALKEY, Campaign, Gateway, link_table
from tests.soak import summary
from tests.soak.verdict import Stored, stored

STOPS: Final = 5
LAG_S: Final = 1.0  # how far settlement may lie behind the acknowledgements
BATCH: Final = 500
OTHER_SENDERS: Final = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`lost`: acknowledged before the loss and not in SQL after the rebuild; `lag_s`: that as time."""

    n: int
    rate: float
    lost: int
    lag_s: float
    closed_answers: int
    rebuild_s: float
    good_again: int
    doubled: int
    stops_kept: int
    faults: list[str] = field(default_factory=list)


async def run(state: Path, n: int, rate: float) -> Verdict:
    """The whole run in `state`."""
    smsc = LoadSmsc()
    port = await smsc.start()
    gateway = Gateway(state=state, links=[link_table(port)])
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await smsc.wait_bound(60)
        campaign = gateway.campaign()
        serials = read_series(gateway.codes(campaign, n))
        await gateway.restart("smpp")
        await say_stop(gateway, smsc, campaign)
        journal = smsc.begin(_traffic(activations(list(serials)), campaign, rate))
        await gateway.until(lambda: len(journal.acknowledged) > n // 2, "the load did not get half way")
        before = await lose_files(gateway, journal)
        closed = sum(journal.statuses[status] for status in TEMPORARY)
        begun = time.monotonic()
        gateway.cli("rebuild")
        rebuild_s = time.monotonic() - begun
        await gateway.until(
            lambda: len(journal.acknowledged) == n, "the waiting texts did not go through", 120
        )
        await quiet(gateway)
        found = stored(gateway)
        lost = {mo.code for mo in before if serials[mo.code] not in found.owner}
        figures = journal.figures()
        again = await once_more(gateway, smsc, campaign, sorted(lost))
        verdict = Verdict(
            n=n,
            rate=rate,
            lost=len(lost),
            lag_s=round(len(lost) / rate, 3),
            closed_answers=closed,
            rebuild_s=round(rebuild_s, 2),
            good_again=again,
            doubled=figures.doubled,
            stops_kept=stops_in_redis(gateway),
            faults=[],
        )
        _judge(verdict, found, stored(gateway), journal, serials)
        await gateway.stop()
    await smsc.stop()
    return verdict


async def say_stop(gateway: Gateway, smsc: LoadSmsc, campaign: Campaign) -> None:
    """Some shoppers say STOP, and it is settled."""
    texts = [Mo(sender=number(OTHER_SENDERS + i), text=b"STOP", coding=wire.GSM) for i in range(STOPS)]
    await smsc.run(_traffic(texts, campaign, None))
    await quiet(gateway)


async def lose_files(gateway: Gateway, journal: Journal) -> list[Mo]:
    """Delete Valkey's files, kill it, wait until the SMSC is told to wait; the texts acknowledged by then."""
    where = valkey_place.place(settings_module.load(gateway.config))
    shutil.rmtree(where.directory / "appendonlydir")
    await gateway.until(lambda: gateway.kill(VALKEY), "no Valkey to kill")
    complaint = "intake did not close after the loss"
    await gateway.until(lambda: any(journal.statuses[s] for s in TEMPORARY), complaint)
    await gateway.until(gateway.answers, "Valkey did not come back")
    return [journal.messages[i] for i in journal.acknowledged]


async def quiet(gateway: Gateway) -> None:
    """Until everything that was accepted is settled, and no answer waits for its outcome."""
    await gateway.until(gateway.outboxes_empty, "the outboxes were not drained", every_s=0.1)
    unsent = "SELECT count(*) FROM message WHERE ended_at IS NULL"
    await gateway.until(lambda: gateway.sql(unsent)[0][0] == 0, "answers are without an outcome", every_s=0.1)


async def once_more(gateway: Gateway, smsc: LoadSmsc, campaign: Campaign, codes: list[str]) -> int:
    """Other shoppers send the lost codes: how many were credited now."""
    if not codes:
        return 0
    before = len(stored(gateway).owner)
    await smsc.run(_traffic(activations(codes, first_sender=2 * OTHER_SENDERS), campaign, None))
    await quiet(gateway)
    return len(stored(gateway).owner) - before


def stops_in_redis(gateway: Gateway) -> int:
    """How many consents say `out` in Redis."""
    with closing(gateway.redis()) as redis:
        values = [redis.get(key) or b"" for key in redis.scan_iter("*:consent:*")]
    return sum(bytes(value).startswith(b"out") for value in values)  # type: ignore[arg-type]


def _traffic(texts: list[Mo], campaign: Campaign, rate: float | None) -> Traffic:
    return Traffic(messages=texts, destination=campaign.short_number.encode(), rate=rate)


def _judge(verdict: Verdict, found: Stored, after: Stored, journal: Journal, serials: dict[str, int]) -> None:
    """Add a line to the verdict's faults for each promise that was broken."""
    sent = {serials[journal.messages[i].code] for i in journal.acknowledged}
    lag = verdict.rate * LAG_S + BATCH
    worth: dict[int, int] = {}
    for shopper, points, *_ in after.entries:
        worth[shopper] = worth.get(shopper, 0) + points
    checks = {
        "more lost than the settlement lag allows": verdict.lost <= lag,
        "more confirmations doubled than had no outcome in SQL": verdict.doubled <= lag,
        "acknowledged after the rebuild and not credited": len(sent - set(found.owner)) == verdict.lost,
        "lost codes are not good again": verdict.good_again == verdict.lost,
        "a code was credited twice": after.activations == len(after.owner) == len(after.entries),
        "balances are not the sum of their entries": worth == after.balances,
        "a STOP was forgotten": verdict.stops_kept == STOPS,
        "intake did not close": verdict.closed_answers > 0,
    }
    verdict.faults.extend(fault for fault, passed in checks.items() if not passed)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=1_500.0)
    arguments = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="loss-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(Path(folder), arguments.n, arguments.rate))
    summary.keep("loss", asdict(verdict))
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
