"""`make soak-blast`: a blast by SMS through trouble, judged by the SMSC's own journal.

Shoppers in five zones have said yes. While a blast for them runs, the SMSC throttles, and loses or delays
receipts; some text STOP, the blast is paused and resumed, every process is killed; the sender is stopped
between the gate's word and the submit while those whom it holds refuse by another process; while offers leave
Redis is put back to an older state, once with nothing that shows it and once so that it must be rebuilt, is
rebuilt again, its clock stepped back, while some refuse by the API; and the clock passes the moment at which
three of the countries close, each at its own hour, and another one opens. Then: nobody got it twice, nobody a
second after their refusal was acknowledged or the blast paused, nobody outside the hours of their zone. With
`--ungated` the sender's gate allows everything, and the same run must fail.

    python -m tests.soak.blast [--n 100000] [--per-s 500] [--seed 7] [--ungated]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from gateway.entry.valkey import place as valkey_place
from gateway.store.vault import master_secret
from gateway.store.vault.vault import Vault
from tests.acceptance.offers import Marketer, marketer
from tests.acceptance.stand import Stand
from tests.conftest import any_smsc
from tests.harness import ROOT, VALKEY, Gateway, link_table
from tests.peers.smsc import Behaviour, Delivery, SmscPeer
from tests.soak import hours, summary
from tests.soak.blast_judge import OFFER, WINDOW, Trouble, Verdict, judge
from tests.soak.blast_stores import Stores
from tests.soak.held_gate import HeldGate
from tests.soak.receipts import Receipts

LINK: Final = "peer"
SOME: Final = 20  # offers
RESTART_S: Final = 20  # longer than a busy machine takes
OLD_S: Final = 1.2  # more than a word of the gate lives, and than a refusal may take
THROTTLED_OF: Final = 20_000  # shoppers, for one more refusal each time
ROLES: Final = ("smpp", "worker", "blasts", "api")
VICTIMS: Final = ("smpp", "blasts", "worker", "api", "smpp", VALKEY)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`n` shoppers; `per_s` segments a second; `crosses_in_s`: from the launch until the hours are crossed.

    `victims`: processes that are killed, in order; before each of them the blast is paused. `stills`: how
    often the sender is stopped with the gate's word in its hands. `stores`: behind the first victim Redis is
    put back to older states, it is rebuilt, its clock is stepped back, and some refuse by the API.
    """

    n: int
    per_s: int
    seed: int
    crosses_in_s: int
    stills: int = 1
    gated: bool = True
    victims: tuple[str, ...] = VICTIMS
    stores: bool = False


class Soak:
    """One run on a stage that stands."""

    def __init__(self, plan: Plan, at: Marketer, smsc: SmscPeer, gate: HeldGate) -> None:
        self._plan = plan
        self._at = at
        self._gateway = at.stand.gateway
        self._smsc = smsc
        self._gate = gate
        self._chance = random.Random(plan.seed)  # noqa: S311 - a seed, not a secret
        self._receipts = Receipts(smsc, plan.seed, of=OFFER)
        self._trouble = Trouble()
        self._quiet = asyncio.Lock()
        self._stores = Stores(self._gateway, self._trouble, self._quiet, self._refuse)
        self._numbers = _mixed(plan.n)
        self._by_index = {at.stand.vault.index(number): number for number in self._numbers}

    async def run(self, url: str) -> Verdict:
        """`url`: of Redis, for the sender."""
        self._at.known(self._numbers)
        self._at.record_consents()
        await self._near_the_hour(url)
        blast = self._launch()
        beside = [asyncio.ensure_future(work) for work in (self._stops(), self._receipts.run())]
        try:
            for step, victim in enumerate(self._plan.victims):
                await self._a_while()
                if step < self._plan.stills:
                    await self._stand_still()
                await self._pause(blast)
                # The sender tries one a second then, so these last for some seconds.
                throttled = self._chance.randrange(2, 5) + self._plan.n // THROTTLED_OF
                self._smsc.behave(Behaviour(throttle_next=throttled))
                await self._a_while()
                await self._kill(victim, url)
                if self._plan.stores and step == 0:
                    self._smsc.behave(Behaviour())
                    await self._upset_stores()
            self._smsc.behave(Behaviour())
            await self._at_rest(blast)
        finally:
            for work in beside:
                work.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        found = self._texts(blast)
        return judge(found, self._smsc.submitted, self._numbers, self._receipts, self._trouble)

    async def _near_the_hour(self, url: str) -> None:
        """Every process starts anew, its clock moved to so many seconds before the hours are crossed."""
        gateway, in_s = self._gateway, self._plan.crosses_in_s
        now = datetime.now(UTC)
        moved = hours.next_crossing(now) - now
        gateway.clock_offset_s = self._trouble.moved_s = int(moved.total_seconds()) - in_s - RESTART_S
        crosses_at = time.monotonic() + moved.total_seconds() - gateway.clock_offset_s
        gateway.write_config()
        for role in ROLES:
            gateway.kill(role)
        self._smsc.bound.clear()
        for role in ROLES:
            _start(gateway, role, url, gated=self._plan.gated)
        await gateway.until(lambda: bool(self._smsc.bound), "nobody bound to the SMSC", 30)
        await gateway.until(self._at.answered, "the API does not answer", 30)
        await asyncio.sleep(max(0.0, crosses_at - in_s - time.monotonic()))

    def _launch(self) -> int:
        audience = self._at.ask("POST", "/v1/audiences", {"name": "all of them"})
        texts = {"en": "{points} at {firm}. {opt_out}"}
        draft = {"name": "soak", "audience": audience["id"], "campaign": self._at.campaign, "texts": texts}
        blast = int(self._at.ask("POST", "/v1/blasts", {**draft, "error_share": 1.0})["id"])
        self._at.turn(blast, "launch")
        return blast

    async def _stops(self) -> None:
        """One person after the other texts STOP; noted when it was acknowledged."""
        for number in self._chance.sample(self._numbers, len(self._numbers) // 10):
            text = Delivery(source=number, destination="4040", body=b"STOP")
            # While Redis is put back what is acknowledged and not settled would be lost.
            async with self._quiet:
                with suppress(TimeoutError):
                    if await self._smsc.deliver(text, 10) == 0:
                        self._trouble.stopped.setdefault(number, time.monotonic())
            await asyncio.sleep(random.Random(number).uniform(0, 2 / self._plan.n * 100))  # noqa: S311

    async def _stand_still(self) -> None:
        """The gate has spoken, the sender stands still; whom it would send to refuse by the API meanwhile."""
        held = await self._gate.catch()
        pid = self._gateway.pid("smpp")
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            for number in sorted(self._by_index[index] for index in held):
                said = {"phone": f"+{number}", "channel": "sms", "state": "withdrawn"}
                self._at.ask("PUT", "/v1/consents", said)
                self._trouble.stopped.setdefault(number, time.monotonic())
                self._trouble.held.append(number)
            await asyncio.sleep(OLD_S)
            self._gate.release()
        finally:
            os.kill(pid, signal.SIGCONT)

    async def _pause(self, blast: int) -> None:
        """Paused for a while."""
        self._at.turn(blast, "pause")
        begun = time.monotonic()
        await asyncio.sleep(self._chance.uniform(1.5, 2.5))
        self._trouble.paused.append((begun, time.monotonic()))
        self._at.turn(blast, "resume")

    async def _kill(self, victim: str, url: str) -> None:
        killed = self._gateway.kill(victim)
        self._trouble.kills += killed
        self._trouble.cut += killed if victim == "smpp" else 0
        await asyncio.sleep(0.3)
        _start(self._gateway, victim, url, gated=self._plan.gated)
        await self._gateway.until(self._gateway.answers, "Valkey does not answer")
        await self._gateway.until(self._at.answered, "the API does not answer", 30)

    async def _a_while(self) -> None:
        await asyncio.sleep(self._chance.uniform(0.5, 1.5))

    async def _refuse(self, count: int) -> None:
        """Some refuse by the API, one after the other."""
        left = [number for number in self._numbers if number not in self._trouble.stopped]
        for number in self._chance.sample(left, min(count, len(left))):
            said = {"phone": f"+{number}", "channel": "all", "state": "withdrawn"}
            told = await asyncio.to_thread(self._at.ask, "PUT", "/v1/consents", said)
            assert {channel["state"] for channel in told.values()} == {"withdrawn"}
            self._trouble.stopped.setdefault(number, time.monotonic())
            self._trouble.withdrawn.append(number)

    async def _upset_stores(self) -> None:
        """Each of them while offers leave."""
        folder = self._gateway.state.parent
        await self._leaves()
        await self._stores.go_back(folder, self._leaves)
        await self._leaves()
        await self._refuse(5)
        self._stores.step_clock_back()
        await self._refuse(5)
        await self._leaves()
        await self._stores.restore(folder, self._leaves)
        await self._leaves()
        await self._stores.rebuild()
        self._trouble.upset_until = time.monotonic()
        await self._leaves()

    async def _leaves(self) -> None:
        """Until some offers more have left."""
        before = self._offers()
        await self._gateway.until(lambda: self._offers() >= before + SOME, "no offer leaves", 60)

    def _offers(self) -> int:
        return sum(one.status == 0 and OFFER in one.body for one in self._smsc.submitted)

    async def _at_rest(self, blast: int) -> None:
        """Until all who may get it now have it, those deferred are for later days, and receipts are in."""

        def done() -> bool:
            texts = self._texts(blast)
            if texts["queued"] or self._to_draw(blast):
                return False
            ended = texts["delivered"] + sum(texts["failed"].values()) + texts["unknown"]
            # A Redis that was put back has lost receipts.
            all_in = self._plan.stores or ended >= self._receipts.acknowledged.total()
            receipted = self._receipts.idle and all_in
            return receipted and not self._due_now(blast)

        await self._gateway.until(done, "the blast does not come to rest", 900, every_s=0.5)

    def _to_draw(self, blast: int) -> bool:
        """Whether somebody is to be drawn still, for the first time or because it was paused."""
        left = "SELECT expected - drawn FROM blast WHERE id = :blast"
        waits = "blast_id = :blast AND state = 'deferred' AND reason = 'paused'"
        paused = f"SELECT count(*) FROM blast_recipient WHERE {waits}"  # noqa: S608 - words of ours
        return any(self._gateway.sql(query, blast=blast)[0][0] for query in (left, paused))

    def _texts(self, blast: int) -> dict[str, Any]:
        """All of them by state, however few: the API tells no firm so."""
        query = (
            "SELECT state, coalesce(error, ''), count(*) FROM message WHERE blast_id = :blast GROUP BY 1, 2"
        )
        found: dict[str, Any] = dict.fromkeys(("queued", "accepted", "delivered", "expired", "unknown"), 0)
        failed: dict[str, int] = {}
        for state, error, count in self._gateway.sql(query, blast=blast):
            if state == "failed":
                failed[error] = count
            else:
                found[state] = found.get(state, 0) + count
        return {**found, "sent": found["accepted"], "failed": failed}

    def _due_now(self, blast: int) -> int:
        """How many were put off until a moment that has come."""
        now_ms = int((time.time() + self._trouble.moved_s) * 1000)
        query = "SELECT count(*) FROM blast_recipient WHERE blast_id = :blast AND due_at <= :now"
        ((count,),) = self._gateway.sql(query, blast=blast, now=now_ms)
        return int(count)


async def run(plan: Plan, state: Path) -> Verdict:
    """One run."""
    smsc = SmscPeer(any_smsc())
    port = await smsc.start()
    link = link_table(port, window=WINDOW, segments_per_s=plan.per_s)
    gateway = Gateway(state=state, links=[link])
    settings = gateway.write_config()
    gate = HeldGate(valkey_place.place(settings).socket)
    try:
        with closing(gateway):
            vault = Vault(master_secret.load_or_make(settings))
            gateway.start(VALKEY)
            await gateway.until(gateway.answers, "Valkey does not answer")
            gateway.cli("migrate")
            url = await gate.start()
            for role in ROLES:
                _start(gateway, role, url, gated=plan.gated)
            await gateway.until(lambda: bool(smsc.bound), "nobody bound to the SMSC", 30)
            at = await marketer(Stand(gateway=gateway, smscs={LINK: smsc}, vault=vault))
            return await Soak(plan, at, smsc, gate).run(url)
    finally:
        gate.stop()
        await smsc.stop()


def _mixed(n: int) -> list[str]:
    """Numbers of all regions in turn, so that every region has some at each moment of the blast."""
    return [
        number
        for those in zip(*(r.numbers(n // len(hours.REGIONS)) for r in hours.REGIONS), strict=True)
        for number in those
    ]


def _start(gateway: Gateway, role: str, url: str, *, gated: bool) -> None:
    prefix: tuple[str, ...] = ()
    if role == "smpp":
        ungated = () if gated else (sys.executable, "-m", "tests.soak.ungated")
        prefix = ("env", f"UNDERCAP_REDIS__URL={url}", *ungated)
    gateway.start(role, prefix=prefix)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--per-s", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--crosses-in", type=int, default=60, help="seconds until the hours are crossed")
    parser.add_argument("--ungated", action="store_true", help="with a gate that allows all: it must fail")
    given = parser.parse_args()
    plan = Plan(
        n=given.n,
        per_s=given.per_s,
        seed=given.seed,
        crosses_in_s=given.crosses_in,
        stills=0 if given.ungated else len(VICTIMS),
        gated=not given.ungated,
        stores=not given.ungated,
    )
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(plan, Path(folder)))
    told: dict[str, Any] = {**asdict(plan), **asdict(verdict)}
    if plan.gated:
        summary.keep("blast", told)
    else:
        print(told)
    sys.exit(bool(verdict.faults) is plan.gated)


if __name__ == "__main__":
    main()
