"""`make soak-blast`: a blast by SMS through trouble, judged by the SMSC's own journal.

Shoppers in three countries have said yes. While a blast for them runs, the SMSC throttles and gives no
receipts, some text STOP, the blast is paused and resumed, every process is killed, the sender stands still
while the blast is paused, and the clock passes the hour at which one of the countries closes. Then: nobody
got it twice, nobody a second after their STOP was acknowledged or the blast paused, nobody outside the hours
of their country. With `--ungated` the sender's gate allows everything, and the same run must fail.

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
from collections import Counter
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from config import policies
from gateway.domain.consent import Channel, Consent, Purpose
from gateway.domain.policy.decide import Contact, decide
from gateway.domain.policy.verdict import Allow
from gateway.store import master_secret
from gateway.store.vault import Vault
from tests.acceptance.offers import Marketer, marketer
from tests.acceptance.stand import Stand
from tests.conftest import any_smsc
from tests.harness import ROOT, VALKEY, Gateway, link_table
from tests.peers.smsc import Behaviour, Delivery, SmscPeer, Submitted
from tests.soak import summary

LINK: Final = "peer"
WINDOW: Final = 20
COUNTRIES: Final = ("38067", "77011", "48601")
OFFER: Final = b" at Acme"
WITHIN_S: Final = 1.0
RESTART_S: Final = 8
_THROTTLED: Final = 0x58  # SMPP 3.4, 5.1.3
ROLES: Final = ("smpp", "worker", "blasts", "api")
VICTIMS: Final = ("smpp", "blasts", "worker", "smpp", VALKEY)
CLOSES_UTC: Final = 16  # Kazakhstan: 21:00 in Almaty; Poland and Ukraine are open still


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`n` shoppers; `per_s` segments a second; `closes_in_s`: from the launch until Kazakhstan closes.

    `victims`: processes that are killed, in order; before each of them the blast is paused.
    """

    n: int
    per_s: int
    seed: int
    closes_in_s: int
    gated: bool = True
    victims: tuple[str, ...] = VICTIMS


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What the journal says. `submits`: of offers, the `throttled` ones included; `received`: people."""

    submits: int = 0
    throttled: int = 0
    received: int = 0
    unknown: int = 0
    stops: int = 0
    kills: int = 0
    pauses: int = 0
    faults: list[str] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class Trouble:
    """What was done to the blast, and when it was acknowledged."""

    stopped: dict[str, float] = field(default_factory=dict)
    paused: list[tuple[float, float]] = field(default_factory=list)
    kills: int = 0


def offset_s(closes_in_s: int) -> int:
    """To a Wednesday, so many seconds before Kazakhstan closes."""
    now = datetime.now(UTC)
    at = now.replace(hour=CLOSES_UTC, minute=0, second=0, microsecond=0) - timedelta(seconds=closes_in_s)
    at += timedelta(days=(2 - at.weekday()) % 7)
    return int((at + timedelta(days=7 * (at < now)) - now).total_seconds())


async def run(plan: Plan, state: Path) -> Verdict:
    """One run."""
    smsc = SmscPeer(any_smsc())
    port = await smsc.start()
    link = link_table(port, window=WINDOW, segments_per_s=plan.per_s)
    gateway = Gateway(state=state, links=[link])
    try:
        with closing(gateway):
            vault = Vault(master_secret.load_or_make(gateway.write_config()))
            gateway.start(VALKEY)
            await gateway.until(gateway.answers, "Valkey does not answer")
            gateway.cli("migrate")
            for role in ROLES:
                _start(gateway, role, plan)
            await gateway.until(lambda: bool(smsc.bound), "nobody bound to the SMSC", 30)
            at = await marketer(Stand(gateway=gateway, smscs={LINK: smsc}, vault=vault))
            numbers = [n for region in COUNTRIES for n in at.shoppers(plan.n // len(COUNTRIES), region)]
            await _near_the_hour(plan, at, smsc)
            return await _blast(plan, at, smsc, numbers)
    finally:
        await smsc.stop()


def _start(gateway: Gateway, role: str, plan: Plan) -> None:
    ungated = role == "smpp" and not plan.gated
    gateway.start(role, prefix=(sys.executable, "-m", "tests.soak.ungated") if ungated else ())


async def _near_the_hour(plan: Plan, at: Marketer, smsc: SmscPeer) -> None:
    """Every process starts anew, its clock moved to so many seconds before Kazakhstan closes."""
    gateway = at.stand.gateway
    closes_at = time.monotonic() + plan.closes_in_s + RESTART_S
    gateway.clock_offset_s = offset_s(plan.closes_in_s + RESTART_S)
    gateway.write_config()
    for role in ROLES:
        gateway.kill(role)
    smsc.bound.clear()
    for role in ROLES:
        _start(gateway, role, plan)
    await gateway.until(lambda: bool(smsc.bound), "nobody bound to the SMSC", 30)
    await gateway.until(at.answered, "the API does not answer", 30)
    await asyncio.sleep(max(0.0, closes_at - time.monotonic() - plan.closes_in_s))


async def _blast(plan: Plan, at: Marketer, smsc: SmscPeer, numbers: list[str]) -> Verdict:
    chance = random.Random(plan.seed)  # noqa: S311 - a seed, not a secret
    audience = at.ask("POST", "/v1/audiences", {"name": "all three"})
    texts = {"en": "{points} at {firm}. {opt_out}"}
    draft = {"name": "soak", "audience": audience["id"], "campaign": at.campaign, "texts": texts}
    blast = int(at.ask("POST", "/v1/blasts", {**draft, "error_share": 1.0})["id"])
    at.turn(blast, "launch")
    trouble = Trouble()
    stops = asyncio.ensure_future(_stops(plan, chance, numbers, smsc, trouble))
    try:
        for victim in plan.victims:
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            await _pause(at, blast, trouble, chance, freeze=victim == "worker")
            # The sender tries one a second then, so these last for some seconds.
            smsc.behave(Behaviour(throttle_next=chance.randrange(2, 5)))
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            trouble.kills += at.stand.gateway.kill(victim)
            await asyncio.sleep(0.3)
            _start(at.stand.gateway, victim, plan)
            await at.stand.gateway.until(at.stand.gateway.answers, "Valkey does not answer")
        smsc.behave(Behaviour())
        await _quiet(at, blast)
    finally:
        stops.cancel()
    return _judge(at, blast, numbers, smsc, trouble)


async def _stops(
    plan: Plan, chance: random.Random, numbers: list[str], smsc: SmscPeer, trouble: Trouble
) -> None:
    """One person after the other texts STOP; noted when it was acknowledged."""
    people = chance.sample(numbers, len(numbers) // 10)
    for number in people:
        text = Delivery(source=number, destination="4040", body=b"STOP")
        with suppress(TimeoutError):
            if await smsc.deliver(text, 10) == 0:
                trouble.stopped[number] = time.monotonic()
        await asyncio.sleep(chance.uniform(0, 2 / plan.n * 100))


async def _pause(at: Marketer, blast: int, trouble: Trouble, chance: random.Random, *, freeze: bool) -> None:
    """Paused for a while; `freeze`: the sender stands still meanwhile, perhaps between gate and submit."""
    pid = at.stand.gateway.pid("smpp") if freeze else None
    if pid:
        os.kill(pid, signal.SIGSTOP)
    at.turn(blast, "pause")
    begun = time.monotonic()
    await asyncio.sleep(chance.uniform(1.5, 2.5))
    if pid:
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(1.5)
    trouble.paused.append((begun, time.monotonic()))
    at.turn(blast, "resume")


async def _quiet(at: Marketer, blast: int) -> None:
    """Until all who may get it now have it: no text waits, and those deferred are for later days."""

    def done() -> bool:
        found = at.results(blast)
        waits = found["texts_by_state"]["queued"] or "paused" in found["deferred"]
        return not waits and found["drawn"] == found["expected"]

    await at.stand.gateway.until(done, "the blast does not come to rest", 600, every_s=0.5)


def _judge(at: Marketer, blast: int, numbers: list[str], smsc: SmscPeer, trouble: Trouble) -> Verdict:
    moved_s = at.stand.gateway.clock_offset_s
    offers = [one for one in smsc.submitted if OFFER in one.body]
    taken = Counter(one.destination for one in offers if one.status == 0)
    found = at.results(blast)["texts_by_state"]
    told = Verdict(
        submits=len(offers),
        throttled=sum(one.status == _THROTTLED for one in offers),
        received=len(taken),
        unknown=found["unknown"],
        stops=len(trouble.stopped),
        kills=trouble.kills,
        pauses=len(trouble.paused),
    )
    late = [o for o in offers if o.at > trouble.stopped.get(o.destination, o.at) + WITHIN_S]
    held = [o for o in offers if any(begun + WITHIN_S < o.at < end for begun, end in trouble.paused)]
    faults = {
        "got it twice": sum(count > 1 for count in taken.values()),
        "after their STOP": len(late),
        "while it was paused": len(held),
        "outside the hours": sum(not _open(one, moved_s) for one in offers),
        "strangers": len(set(taken) - set(numbers)),
        "unknown beyond the window a kill": max(0, found["unknown"] - WINDOW * trouble.kills),
        "told as sent and not received": max(0, found["sent"] + found["delivered"] - len(taken)),
    }
    told.faults = [f"{what}: {count}" for what, count in faults.items() if count]
    return told


def _open(one: Submitted, moved_s: int) -> bool:
    """Whether the law lets this number be written to at that moment, give or take two seconds."""
    moment = time.time() - (time.monotonic() - one.at) + moved_s
    contact = Contact(number=one.destination, consent=Consent.GIVEN)
    rules = policies.load()
    decisions = [
        decide(contact, Channel.SMS, Purpose.MARKETING, int((moment + near) * 1000), rules)
        for near in (-2, 0)
    ]
    return any(isinstance(decision, Allow) for decision in decisions)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--per-s", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--closes-in", type=int, default=40, help="seconds until Kazakhstan closes")
    parser.add_argument("--ungated", action="store_true", help="with a gate that allows all: it must fail")
    given = parser.parse_args()
    plan = Plan(
        n=given.n,
        per_s=given.per_s,
        seed=given.seed,
        closes_in_s=given.closes_in,
        gated=not given.ungated,
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
