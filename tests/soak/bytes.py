"""`make soak-bytes`: a whole gateway against an SMSC whose PDUs are bent, for so many minutes.

Real captures of real SMSCs are bent by a seeded mutator and said in pieces, good texts with codes between
them. The SMPP process must live through it without an unexpected exception and without growing; every text
that was acknowledged must be credited, once; and after the last bent PDU everything goes on as ever.

    python -m tests.soak.bytes [--minutes 60] [--seed 7] [--share 0.3]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.load_texts import activations, read_series
from tests.harness import ROOT, Gateway, link_table
from tests.soak import summary
from tests.soak.hostile_smsc import HostileSmsc
from tests.soak.verdict import Stored, stored

TEXTS_A_SECOND: Final = 20
STEP_S: Final = 0.25
WARM_UP: Final = 50  # good texts before the memory is measured
MOST_GROWTH_MB: Final = 40.0
# What must not stand in the log of a process that any input is allowed to reach.
UNEXPECTED: Final = ("Traceback", '"level": "error"', '"level":"error"', '"level":"critical"')


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """`said`: what the SMSC did; `statuses`: of the deliver_sm_resps; a line for each promise broken."""

    minutes: float
    seed: int
    share: float
    texts: int
    acknowledged: int
    credited: int
    growth_mb: float
    said: dict[str, int]
    statuses: dict[str, int]
    faults: list[str] = field(default_factory=list)


async def run(state: Path, *, minutes: float, seed: int, share: float = 0.3) -> Verdict:
    """The whole run in `state`; raises HarnessError where the gateway does not come up or settle."""
    texts = max(200, int(minutes * 60 * TEXTS_A_SECOND))
    smsc = HostileSmsc("4040", seed)
    port = await smsc.start()
    timers: dict[str, object] = {
        "enquire_link_s": 1.0,
        "enquire_link_timeout_s": 1.0,
        "response_timeout_s": 2.0,
        "bind_timeout_s": 5.0,
    }
    gateway = Gateway(state=state, links=[link_table(port, **timers)])
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await gateway.until(lambda: smsc.said["sessions"] > 0, "nobody bound")
        campaign = gateway.campaign()
        serials = read_series(gateway.codes(campaign, texts))
        await gateway.restart("smpp")
        smsc.begin(activations(list(serials)), share)
        smsc.supply = WARM_UP
        await gateway.until(lambda: len(smsc.acknowledged) >= WARM_UP, "the first texts did not go through")
        before, size = gateway.pid("smpp"), rss_mb(gateway)
        await torment(smsc, texts - WARM_UP, minutes * 60)
        smsc.behave()
        await gateway.until(
            lambda: len(smsc.acknowledged) == texts, "good texts did not go through afterwards", 120
        )
        await gateway.until(gateway.outboxes_empty, "the outboxes were not drained")
        unsent = "SELECT count(*) FROM message WHERE ended_at IS NULL"
        await gateway.until(lambda: gateway.sql(unsent)[0][0] == 0, "answers are without an outcome")
        growth = rss_mb(gateway) - size
        found = stored(gateway)
        verdict = Verdict(
            minutes=minutes,
            seed=seed,
            share=share,
            texts=texts,
            acknowledged=len(smsc.acknowledged),
            credited=len(found.owner),
            growth_mb=round(growth, 1),
            said=dict(smsc.said),
            statuses={f"0x{status:02x}": n for status, n in sorted(smsc.statuses.items())},
        )
        acknowledged = {serials[code] for code in smsc.acknowledged}
        lived = gateway.pid("smpp") == before
        _judge(verdict, found, acknowledged, lived=lived, calm=not unexpected(state))
        await gateway.stop()
    await smsc.stop()
    return verdict


def _judge(verdict: Verdict, found: Stored, acknowledged: set[int], *, lived: bool, calm: bool) -> None:
    """Add a line to the verdict's faults for each promise that was broken."""
    checks = {
        "acknowledged and not credited": acknowledged <= set(found.owner),
        "credited and never acknowledged": set(found.owner) <= acknowledged,
        "a code was credited twice": found.activations == len(found.owner) == len(found.entries),
        "the SMPP process did not live": lived,
        "the SMPP process grew": verdict.growth_mb <= MOST_GROWTH_MB,
        "an unexpected exception": calm,
        "nothing was bent": verdict.share == 0 or verdict.said["generic_nacks"] > 0,
    }
    verdict.faults.extend(fault for fault, passed in checks.items() if not passed)


async def torment(smsc: HostileSmsc, texts: int, seconds: float) -> None:
    """Let the SMSC say what it likes for so long, good texts evenly between."""
    begun = time.monotonic()
    given = 0
    while (spent := time.monotonic() - begun) < seconds:
        due = int(texts * 0.9 * spent / seconds)
        smsc.supply += due - given
        given = due
        await asyncio.sleep(STEP_S)


def rss_mb(gateway: Gateway) -> float:
    """Resident memory of the SMPP process."""
    status = Path(f"/proc/{gateway.pid('smpp')}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def unexpected(state: Path) -> list[str]:
    """Lines of logs that tell of what nobody expected."""
    return [
        line[:300]
        for path in state.glob("*.log")
        for line in path.read_text(errors="replace").splitlines()
        if any(mark in line for mark in UNEXPECTED)
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--share", type=float, default=0.3)
    arguments = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bytes-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(
            run(Path(folder), minutes=arguments.minutes, seed=arguments.seed, share=arguments.share)
        )
    summary.keep("bytes", asdict(verdict))
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
