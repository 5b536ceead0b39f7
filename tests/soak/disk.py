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

DELAY_S: Final = 3.0
SLOW_SYNC: Final = f"fdatasync,fsync:delay_enter={int(DELAY_S * 1e6)}"
FAILING_SYNC: Final = "fdatasync,fsync:error=EIO"
PATIENT: Final[dict[str, dict[str, object]]] = {"redis": {"timeout_s": 30.0}}
EIO_WATCH_S: Final = 10.0


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

    async def valkey_under(self, fault: str) -> None:
        """Restart Valkey under strace with its syncs delayed or failing."""
        strace = fetch.strace()
        await self.restart_valkey((*strace.argv, "-f", "-qq", "-e", "trace=none", "-e", f"inject={fault}"))

    async def restart_valkey(self, prefix: tuple[str, ...] = ()) -> None:
        """Kill Valkey and start it again, perhaps under another program; wait until it answers."""
        self.gateway.kill(VALKEY)
        await self.gateway.until(lambda: self.gateway.pid(VALKEY) is None, "Valkey did not end")
        self.gateway.start(VALKEY, prefix=prefix)
        await self.gateway.until(self.gateway.answers, "Valkey does not answer")


@asynccontextmanager
async def scene(state: Path, codes: int) -> AsyncIterator[Scene]:
    """Set up on a healthy disk, tried with one text."""
    smsc = LoadSmsc()
    port = await smsc.start()
    gateway = Gateway(state=state, links=[link_table(port, storage_timeout_s=40.0)], settings=PATIENT)
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await smsc.wait_bound(60)
        campaign = gateway.campaign()
        series = list(read_series(gateway.codes(campaign, codes + 1)))
        await gateway.stop()
        for role in (VALKEY, "worker", "smpp"):
            gateway.start(role)
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


async def slow_disk(state: Path, texts: int) -> list[float]:
    """How long each ROK took while every sync takes DELAY_S."""
    async with scene(state, texts) as here:
        await here.valkey_under(SLOW_SYNC)
        journal = here.push(texts)
        await here.gateway.until(
            lambda: len(journal.acknowledged) == texts, "texts were not acknowledged", 20 * DELAY_S
        )
        return rok_delays(journal)


async def failing_disk(state: Path, texts: int) -> tuple[int, int, int]:
    """ROKs and temporary answers while every sync fails; confirmations after the disk was mended."""
    async with scene(state, texts) as here:
        await here.valkey_under(FAILING_SYNC)
        journal = here.push(texts)
        await asyncio.wait_for(_watched(here, journal), EIO_WATCH_S + 60)
        roks = len(journal.acknowledged)
        temporary = sum(count for status, count in journal.statuses.items() if status in TEMPORARY)
        await here.restart_valkey()
        await here.smsc.finished(quiet_s=30)
        confirmed = sum(1 for at in journal.confirmed_at if at)
        return roks, temporary, confirmed


async def _watched(here: Scene, journal: Journal) -> None:
    """Until the gateway has told the SMSC that it cannot store, and some seconds more."""
    await here.gateway.until(
        lambda: any(status in TEMPORARY for status in journal.statuses), "no temporary answer came"
    )
    await asyncio.sleep(EIO_WATCH_S)  # the time in which a wrong ROK could leave


async def everysec(state: Path, texts: int) -> list[float]:
    """The same as `slow_disk` with a Valkey that answers before it syncs: the check must notice."""
    async with scene(state, texts + 1) as here:
        await here.valkey_under(SLOW_SYNC)
        first = here.push(1)  # the gateway has judged this Valkey once it takes a text
        await here.gateway.until(lambda: len(first.acknowledged) == 1, "no text was taken", 20 * DELAY_S)
        await here.gateway.until(here.gateway.answers, "Valkey does not answer")
        here.gateway.redis().config_set("appendfsync", "everysec")
        journal = here.push(texts)
        await here.gateway.until(
            lambda: len(journal.acknowledged) == texts, "texts were not acknowledged", 20 * DELAY_S
        )
        return rok_delays(journal)


def too_soon(delays: list[float]) -> int:
    """How many ROKs left before a sync that began after their text could have ended."""
    return sum(delay < DELAY_S for delay in delays)


async def run(folder: Path, texts: int) -> Verdict:
    """All three runs."""
    slow = await slow_disk(folder / "slow", texts)
    roks, temporary, confirmed = await failing_disk(folder / "failing", texts)
    quick = await everysec(folder / "everysec", texts)
    checks = {
        "ROK before the disk had it": too_soon(slow) == 0,
        "ROK while the disk failed": roks == 0,
        "no temporary answer while the disk failed": temporary > 0,
        "not all confirmed after the disk was mended": confirmed == texts,
        "the check did not notice everysec": too_soon(quick) > 0,
    }
    return Verdict(
        slow_first_rok_s=round(min(slow), 3),
        slow_too_soon=too_soon(slow),
        failing_roks=roks,
        failing_temporary=temporary,
        mended_confirmed=confirmed,
        everysec_too_soon=too_soon(quick),
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
