"""`make bench-fairness`: what a firm waits for while another firm's blast fills the link that they share.

Two firms, one link with a pace, `undercap up` and an SMSC that nobody here wrote. First the quiet firm is
alone: its shoppers text codes and STOP, and ask for PINs on the page. Then the noisy firm's blast to many
shoppers runs, and the quiet firm does the same again. Time runs from the shopper's deed to the submit that
answers it, as the SMSC saw it. Both orders of the firms. Prints a table; the last line is one JSON object.

    python -m tests.bench.fairness [--n 100000] [--rounds 30] [--pace 15]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from gateway.domain.sms.priority import Priority
from gateway.store.redis import keys
from tests.acceptance.offers import Marketer, to_noon
from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Code, add_campaign, add_firm, known
from tests.acceptance.stand import Stand, standing
from tests.bench import machine
from tests.conftest import any_smsc
from tests.harness import ROOT

LINK: Final = "peer"
FIRMS: Final = (("acme", "4040"), ("bolt", "5050"))
WITHIN_S: Final = 60.0  # what is not answered by then is lost
APART_S: Final = 0.2  # between two deeds of the quiet firm's shoppers
MANY_PINS: Final[dict[str, object]] = {"pins_per_address_hour": 100_000, "pins_per_hour": 100_000}
HEAD: Final = f"{'noisy':6} {'kind':6} {'':7} {'n':>4} {'lost':>5} {'p50 s':>7} {'p99 s':>7}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What one kind of deed waited for. Seconds; NaN where nothing was answered."""

    noisy: str
    kind: str
    beside: bool  # whether the other firm's blast ran
    n: int
    lost: int
    p50_s: float
    p99_s: float


@dataclass(kw_only=True, slots=True)
class Quiet:
    """The firm that only answers its shoppers."""

    stand: Stand
    short_number: str
    codes: list[Code]
    api: str

    async def code(self, shopper: Shopper) -> None:
        """Its shopper texts a code."""
        await self.stand.text(LINK, shopper, self.codes.pop().printed, to=self.short_number)

    async def stop(self, shopper: Shopper) -> None:
        """Its shopper refuses offers."""
        await self.stand.text(LINK, shopper, "STOP", to=self.short_number)

    async def pin(self, shopper: Shopper) -> None:
        """Its shopper asks for a PIN on the page."""
        body = {"phone": f"+{shopper.number}", "short_number": self.short_number, "language": "en"}
        async with (
            ClientSession(headers={"Origin": self.api}) as http,
            http.post(f"{self.api}/v1/web/pins", json=body) as response,
        ):
            response.raise_for_status()

    async def waits(self, rounds: int) -> dict[str, list[float | None]]:
        """Seconds that each deed waited for its answer, by kind; None: it got none."""
        found: dict[str, list[float | None]] = {"code": [], "stop": [], "pin": []}
        deeds = {"code": self.code, "stop": self.stop, "pin": self.pin}
        running = []
        for _ in range(rounds):
            for kind, deed in deeds.items():
                running.append(asyncio.create_task(self._timed(found[kind], deed)))
                await asyncio.sleep(APART_S)
        await asyncio.gather(*running)
        return found

    async def _timed(self, into: list[float | None], deed: Any) -> None:
        shopper, begun = self.stand.shopper(), time.monotonic()
        await deed(shopper)
        smsc = self.stand.smscs[LINK]
        until = begun + WITHIN_S
        while not (sent := smsc.sent_to(shopper.number)) and time.monotonic() < until:  # noqa: ASYNC110 - its journal
            await asyncio.sleep(0.01)
        into.append(sent[0].at - begun if sent else None)


def rows(noisy: str, beside: bool, found: dict[str, list[float | None]]) -> list[Row]:
    """The figures of a phase, shown at once."""
    made = []
    for kind, waits in found.items():
        told = sorted(wait for wait in waits if wait is not None)
        row = Row(
            noisy=noisy,
            kind=kind,
            beside=beside,
            n=len(waits),
            lost=len(waits) - len(told),
            p50_s=round(statistics.median(told), 3) if told else float("nan"),
            p99_s=round(told[min(len(told) - 1, int(len(told) * 0.99))], 3) if told else float("nan"),
        )
        phase = "beside" if beside else "alone"
        print(
            f"{noisy:6} {kind:6} {phase:7} {row.n:4} {row.lost:5} {row.p50_s:7.3f} {row.p99_s:7.3f}",
            flush=True,
        )
        made.append(row)
    return made


async def run(state: Path, noisy: int, *, n: int, rounds: int, pace: float) -> tuple[list[Row], int]:
    """Both phases with one of the firms noisy; the rows, and how many offers left meanwhile."""
    link: dict[str, object] = {"segments_per_s": pace}
    async with standing(
        state, {LINK: any_smsc()}, link=link, settings={"web": dict(MANY_PINS)}, clock_offset_s=to_noon()
    ) as stand:
        campaigns = []
        for slug, short in FIRMS:
            add_firm(stand.gateway, slug)
            campaigns.append(add_campaign(stand.gateway, numbers=(short,), firm=slug))
        (slug, _), (_, short) = FIRMS[noisy], FIRMS[1 - noisy]
        codes = campaigns[1 - noisy].codes(2 * rounds + 50, take=2 * rounds + 1)
        await known(stand, LINK, codes.pop(), to=short)
        log = (stand.gateway.state / "up.log").read_text(encoding="utf-8")
        api = re.search(r"API\W+(http://127\.0\.0\.1:\d+)", log)
        assert api is not None
        quiet = Quiet(stand=stand, short_number=short, codes=codes, api=api[1])
        found = rows(slug, False, await quiet.waits(rounds))
        key = stand.gateway.cli("firm", "key", slug).strip()
        marketer = Marketer(stand=stand, firm_id=noisy + 1, campaign=campaigns[noisy].id, key=key)
        people = await asyncio.to_thread(marketer.shoppers, n, "38050")
        blast = marketer.blast("all", region="38050")
        await asyncio.to_thread(marketer.turn, blast, "launch")
        await marketer.until_sent(people, int(pace))
        before = offers(stand, people)
        found += rows(slug, True, await quiet.waits(rounds))
        left = offers(stand, people) - before
        with closing(stand.gateway.redis()) as redis:
            assert redis.xlen(keys.send(noisy + 1, LINK, Priority.BULK)), "the blast was over too early"
    return found, left


def offers(stand: Stand, people: Sequence[str]) -> int:
    """How many offers the SMSC has seen."""
    wanted = set(people)
    return sum(one.destination in wanted for one in stand.smscs[LINK].submitted)


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Both orders of the firms; returns the last line's object."""
    print(f"a blast to {arguments.n}, {arguments.pace:g} segments a second")
    print(HEAD)
    found: list[Row] = []
    left = []
    for noisy in range(len(FIRMS)):
        with tempfile.TemporaryDirectory(prefix="fair-", dir=arguments.dir) as folder:
            made, offers_left = await run(
                Path(folder) / "state", noisy, n=arguments.n, rounds=arguments.rounds, pace=arguments.pace
            )
        found += made
        left.append(offers_left)
    return {
        "bench": "fairness",
        "n": arguments.n,
        "segments_per_s": arguments.pace,
        "runs": [asdict(row) for row in found],
        "offers_that_left_beside": left,
        "machine": asdict(machine.machine()),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000, help="shoppers of the blast")
    parser.add_argument("--rounds", type=int, default=30, help="of a code, a STOP and a PIN, in each phase")
    parser.add_argument("--pace", type=float, default=15.0, help="segments a second of the link")
    # Not the system's temporary directory: it may lie in memory, where fsync costs nothing.
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="where the state is made")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(bench(arguments)), ensure_ascii=False))


if __name__ == "__main__":
    main()
