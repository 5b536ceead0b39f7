"""`make soak-disk`: no ESME_ROK before the disk has it. SIGKILL proves nothing about fsync; a slow disk does.

Valkey runs under strace, which delays or fails its fdatasync. Three runs, each on a fresh state:
every sync takes 3 s and no text is acknowledged sooner; every sync fails and none is acknowledged at all,
until the disk is well again; and the same check with `appendfsync everysec`, which it must catch.

    python -m tests.soak.disk [--texts 5]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tests.bench.journal import Journal
from tests.bench.load_run import TEMPORARY, Traffic
from tests.bench.load_texts import activations, read_series
from tests.bench.smsc_load import LoadSmsc
from tests.harness import ROOT, VALKEY, Campaign, Gateway, link_table
from tests.peers import fetch
from tests.soak import summary

FAILING_SYNC: Final = "fdatasync,fsync:error=EIO"
PATIENT: Final[dict[str, dict[str, object]]] = {"redis": {"timeout_s": 30.0}}
SYNCS_PATIENCE: Final = 20  # syncs that a text may wait for: others write to this Valkey, too
ROK_TIMEOUT_S: Final = 120.0
FAILING_STARTS: Final = 5  # of a Valkey that takes texts until its first sync


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Seconds from the first sending of a text to its ROK, and what was wrong."""

    slow_first_rok_s: float
    slow_too_soon: int
    failing_roks: int
    failing_temporary: int
    mended_confirmed: int
    everysec_too_soon: int
    texts: int
    faults: list[str] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Scene:
    """A gateway whose processes run one by one, with a campaign, and an SMSC in front of it."""

    gateway: Gateway
    smsc: LoadSmsc
    campaign: Campaign
    codes: list[str]

    def push(self, count: int) -> Journal:
        """Send some texts with fresh codes, all at once."""
        part, self.codes = self.codes[:count], self.codes[count:]
        texts = activations(part, first_sender=len(self.codes) * 10)
        return self.smsc.begin(Traffic(messages=texts, destination=self.campaign.short_number.encode()))

    def start_valkey(self, fault: str = "") -> None:
        """Start Valkey, perhaps under strace with its syncs delayed or failing."""
        told = ("-o", str(self.gateway.state / "syncs.log"), "-e", "trace=fdatasync,fsync")
        tracer = (*fetch.strace().argv, "-f", "-qq", "-ttt", *told, "-e", f"inject={fault}")
        self.gateway.start(VALKEY, prefix=tracer if fault else ())

    async def kill_valkey(self) -> None:
        """Kill Valkey and wait for its end."""
        self.gateway.kill(VALKEY)
        await self.valkey_ended()

    async def valkey_ended(self) -> None:
        """Wait until there is no Valkey: it ends by itself when a sync fails under `appendfsync always`."""
        await self.gateway.until(lambda: self.gateway.ended(VALKEY), "Valkey did not end")

    async def valkey_answers(self) -> None:
        """Wait until Valkey answers."""
        await self.gateway.until(self.gateway.answers, "Valkey does not answer")


@asynccontextmanager
async def scene(state: Path, codes: int, *, patience_s: float) -> AsyncIterator[Scene]:
    """Set up on a healthy disk, tried with one text; `patience_s` until a text gets the temporary answer."""
    smsc = LoadSmsc()
    port = await smsc.start()
    gateway = Gateway(state=state, links=[link_table(port, storage_timeout_s=patience_s)], settings=PATIENT)
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await smsc.wait_bound(60)
        campaign = gateway.campaign()
        series = list(read_series(gateway.codes(campaign, codes + 1)))
        await gateway.stop()
        gateway.start(VALKEY)
        await gateway.until(gateway.answers, "Valkey does not answer")
        gateway.start("worker")
        gateway.start("smpp")
        await smsc.wait_bound(60)
        found = Scene(gateway=gateway, smsc=smsc, campaign=campaign, codes=series)
        found.push(1)
        if not await smsc.finished():
            raise RuntimeError(f"the first text was not confirmed\n{gateway.log_tails()}")
        yield found
    await smsc.stop()


def rok_delays(journal: Journal) -> list[float]:
    """Seconds from the first sending to the ROK, of the texts that were acknowledged."""
    return [journal.answered_at[i] - journal.sent_at[i] for i in journal.acknowledged]


def slow_sync(delay_s: float) -> str:
    """What strace does to make each sync take so long."""
    return f"fdatasync,fsync:delay_enter={round(delay_s * 1e6)}"


async def slow_disk(state: Path, texts: int, delay_s: float) -> list[float]:
    """How long each ROK took while every sync takes `delay_s`."""
    async with scene(state, texts, patience_s=SYNCS_PATIENCE * delay_s) as here:
        await here.kill_valkey()
        here.start_valkey(slow_sync(delay_s))
        await here.valkey_answers()
        journal = here.push(texts)
        await all_acknowledged(here, journal)
        return rok_delays(journal)


async def failing_disk(state: Path, texts: int) -> tuple[int, int, int]:
    """ROKs and temporary answers while every sync fails; confirmations after the disk was mended."""
    async with scene(state, texts, patience_s=1.0) as here:
        await here.kill_valkey()
        journal = here.push(texts)  # the SMSC tries again and again
        starts = temporary = 0
        while starts < FAILING_STARTS or (temporary == 0 and starts < 10 * FAILING_STARTS):
            here.start_valkey(FAILING_SYNC)
            await here.valkey_ended()
            starts += 1
            temporary = put_off(journal)
        roks = len(journal.acknowledged)
        here.start_valkey()
        await here.valkey_answers()
        if here.gateway.ended("worker"):
            here.gateway.start("worker")
        await here.smsc.finished(quiet_s=30)
        return roks, temporary, sum(1 for at in journal.confirmed_at if at)


async def everysec(state: Path, texts: int, delay_s: float) -> tuple[list[float], int]:
    """The same as `slow_disk` with a Valkey that answers before it syncs: the gateway notices, and gives the
    temporary answer, or the check must notice. Returns the delays of ROKs, and the temporary answers.
    """
    async with scene(state, texts + 1, patience_s=SYNCS_PATIENCE * delay_s) as here:
        await here.kill_valkey()
        here.start_valkey(slow_sync(delay_s))
        await here.valkey_answers()
        first = here.push(1)
        await all_acknowledged(here, first)  # by now the gateway has found this Valkey fit
        with closing(here.gateway.redis()) as redis:
            redis.config_set("appendfsync", "everysec")
        journal = here.push(texts)
        complaint = "texts were neither acknowledged nor put off"
        await here.gateway.until(
            lambda: len(journal.acknowledged) == texts or put_off(journal) > texts, complaint, ROK_TIMEOUT_S
        )
        return rok_delays(journal), put_off(journal)


def put_off(journal: Journal) -> int:
    """How many temporary answers there were."""
    return sum(journal.statuses[status] for status in TEMPORARY)


async def all_acknowledged(here: Scene, journal: Journal) -> None:
    """Wait until every text has its ROK."""
    wanted = len(journal.messages)
    complaint = f"of {wanted} texts not all were acknowledged"
    await here.gateway.until(lambda: len(journal.acknowledged) == wanted, complaint, ROK_TIMEOUT_S)


async def run(folder: Path, texts: int, delay_s: float = 3.0) -> Verdict:
    """All three runs. A ROK is too soon if no sync that began after its text could have ended before it."""
    slow = await slow_disk(folder / "slow", texts, delay_s)
    roks, temporary, confirmed = await failing_disk(folder / "failing", texts)
    quick, refused = await everysec(folder / "everysec", texts, delay_s)
    too_soon = sum(delay < delay_s for delay in slow)
    noticed = sum(delay < delay_s for delay in quick)
    checks = {
        "ROK before the disk had it": too_soon == 0,
        "ROK while the disk failed": roks == 0,
        "no temporary answer while the disk failed": temporary > 0,
        "not all confirmed after the disk was mended": confirmed == texts,
        "neither the gateway nor the check noticed everysec": noticed > 0 or refused > 0,
    }
    return Verdict(
        slow_first_rok_s=round(min(slow), 3),
        slow_too_soon=too_soon,
        failing_roks=roks,
        failing_temporary=temporary,
        mended_confirmed=confirmed,
        everysec_too_soon=noticed,
        texts=texts,
        faults=[fault for fault, passed in checks.items() if not passed],
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=5)
    arguments = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="disk-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(Path(folder), arguments.texts))
    summary.keep("disk", asdict(verdict))
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
