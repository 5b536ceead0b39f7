"""`make soak-smpp`: an SMSC in trouble, at a changing load, in front of the real processes.

It throttles, refuses for now and for good, delays and reorders its answers, drops some or gives them too
late, half-closes, cuts, restarts and turns deaf; it sends parts in any order, twice, or never, and receipts
before the response, late, twice, mangled, or never. At the end its journal is held against SQL
(`tests.soak.reconcile`).

    python -m tests.soak.smpp [--n 100000] [--seed 1] [--stretches 60] [--fastest 900]
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from config import settings as settings_module
from gateway.store.vault import master_secret
from gateway.store.vault.vault import Vault
from tests.bench.load_texts import read_series
from tests.harness import ROOT, Gateway, link_table
from tests.soak import summary
from tests.soak.reconcile import Reconciled, books, parts_of_answers, reconcile, told_of
from tests.soak.trouble_journal import TroubleJournal
from tests.soak.trouble_smsc import TroubleSmsc
from tests.soak.trouble_texts import texts
from tests.soak.weather import forecast

RESPONSE_TIMEOUT_S: Final = 3.0
LINK: Final = {
    "response_timeout_s": RESPONSE_TIMEOUT_S,
    "throttle_wait_s": 0.2,
    "window": 100,
    "enquire_link_s": 5.0,
    "enquire_link_timeout_s": 3.0,
}
SHORT_NUMBER: Final = "4040"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is done. `slowest`, `fastest`: texts a second; `reassembly_s`: how long parts wait for others;
    `settle_s`: how long the gateway may take to end everything after the last text.
    """

    n: int = 100_000
    seed: int = 1
    stretches: int = 60
    slowest: float = 50.0
    fastest: float = 900.0
    reassembly_s: float = 20.0
    settle_s: float = 300.0


async def run(plan: Plan, state: Path) -> Reconciled:
    """The whole run in `state`; raises HarnessError where the gateway does not come up."""
    journal = TroubleJournal(response_timeout_s=RESPONSE_TIMEOUT_S, missing=[])
    smsc = TroubleSmsc(SHORT_NUMBER, plan.seed, journal)
    port = await smsc.start()
    settings: dict[str, dict[str, object]] = {"smpp": {"reassembly_timeout_s": plan.reassembly_s}}
    gateway = Gateway(state=state, links=[link_table(port, **LINK)], settings=settings)
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await gateway.until(lambda: smsc.bound, "nobody bound")
        campaign = gateway.campaign(short_number=SHORT_NUMBER)
        those = texts(read_series(gateway.codes(campaign, plan.n)), plan.seed)
        smsc.load(those)
        await gateway.restart("smpp")  # it knows every campaign then
        await gateway.until(lambda: smsc.bound, "nobody bound again")
        await push(smsc, plan)
        await quiet(smsc, gateway, len(those), plan.settle_s)
        vault = Vault(master_secret.load_or_make(settings_module.load(gateway.config)))
        verdict = reconcile(those, journal, books(gateway), vault.index, campaign.points)
        await gateway.stop()
    await smsc.stop()
    return verdict


async def push(smsc: TroubleSmsc, plan: Plan) -> None:
    """All stretches, one after the other."""
    begun = time.monotonic()
    weathers = forecast(
        len(smsc.units), plan.seed, stretches=plan.stretches, slowest=plan.slowest, fastest=plan.fastest
    )
    for at, weather in enumerate(weathers):
        await smsc.live_through(weather)
        told = f"{at + 1}/{len(weathers)} {weather.event} {weather.rate:.0f}/s"
        print(f"{time.monotonic() - begun:6.1f} s  {told}", file=sys.stderr, flush=True)


async def quiet(smsc: TroubleSmsc, gateway: Gateway, count: int, most_s: float) -> None:
    """Until nothing is open at either side, or the time is over: the verdict says what is missing."""
    resting = asyncio.create_task(smsc.rest())
    deadline = time.monotonic() + most_s
    try:
        while time.monotonic() < deadline and not resting.done():
            if smsc.idle and await asyncio.to_thread(settled, gateway, smsc.journal, count):
                return
            await asyncio.sleep(0.5)
        if resting.done():
            resting.result()
    finally:
        resting.cancel()


def settled(gateway: Gateway, journal: TroubleJournal, count: int) -> bool:
    """Whether every answer has its end in SQL, with its receipts."""
    parts = parts_of_answers(gateway)
    rows = gateway.sql("SELECT state, id, coalesce(smsc_id, '') FROM message WHERE ended_at IS NOT NULL")
    return len(rows) >= count and not any(
        state == "accepted" and told_of(parts.get(id_, smsc_id), journal) for state, id_, smsc_id in rows
    )


def main() -> None:
    """Command line."""
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=usual.n)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--stretches", type=int, default=usual.stretches)
    parser.add_argument("--slowest", type=float, default=usual.slowest)
    parser.add_argument("--fastest", type=float, default=usual.fastest)
    parser.add_argument("--reassembly-s", type=float, default=usual.reassembly_s)
    parser.add_argument("--settle-s", type=float, default=usual.settle_s)
    plan = Plan(**vars(parser.parse_args()))
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="smpp-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(plan, Path(folder)))
    summary.keep("smpp", {"plan": asdict(plan), **asdict(verdict)})
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
