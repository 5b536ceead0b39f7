"""`make soak-kill`: SIGKILL to each process in turn, and to all, while an SMSC pushes activations.

At seeded moments the worker, the SMPP process, Valkey and then everything is killed; `undercap up` starts its
children again, and we start it. The SMSC sends again what was not acknowledged. Then its journal is held
against SQL (`tests.soak.verdict`).

    python -m tests.soak.kill [--n 20000] [--window 100] [--seed 1] [--rounds 3] [--slots closed|open]
        [--rate R] [--seconds S]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import secrets
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from tests.bench.journal import Journal, Mo
from tests.bench.load_run import FreedBy, Traffic
from tests.bench.load_texts import activations, read_series
from tests.bench.smsc_load import LoadSmsc
from tests.harness import ROOT, VALKEY, Gateway, HarnessError, link_table
from tests.soak import summary
from tests.soak.verdict import Verdict, judge, stored

EVERYTHING: Final = "everything"
VICTIMS: Final = ("worker", "smpp", VALKEY, EVERYTHING)
BEING_STARTED_S: Final = 0.01
TRIES: Final = 6_000
QUIET_S: Final = 45.0  # longer than any restart and back-off
SETTLE_S: Final = 60.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What is done. `rate`: texts a second, None for full speed; `seconds`: no kill begins after that.

    In a closed loop (`slots`) texts and confirmations keep step, so every kill finds both under way; in an
    open one the intake runs ahead of a worker that is just being started again.
    """

    n: int = 20_000
    window: int = 100
    seed: int = 1
    rounds: int = 3
    slots: FreedBy = FreedBy.CONFIRMATION
    rate: float | None = None
    seconds: float = 900.0
    answer_delay_s: float = 0.01  # of the SMSC: a kill then finds submits whose outcome is unknown
    receipts: bool = True
    invalid: int = 100  # texts with a code that was never issued, from senders of their own


@dataclass(frozen=True, kw_only=True, slots=True)
class Kill:
    """A kill: whom, when `answered` texts have been acknowledged, and `delay_s` after that moment."""

    victim: str
    answered: int
    delay_s: float


def schedule(plan: Plan) -> list[Kill]:
    """The kills in order, at random moments that the seed decides."""
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    victims = VICTIMS * plan.rounds
    moments = sorted(chance.sample(range(plan.n // 50, plan.n - plan.n // 20), len(victims)))
    return [
        Kill(victim=victim, answered=moment, delay_s=chance.uniform(0, 0.05))
        for victim, moment in zip(victims, moments, strict=True)
    ]


async def run(plan: Plan, state: Path) -> Verdict:
    """The whole run in `state`; raises HarnessError where the gateway does not come up or settle."""
    smsc = LoadSmsc()
    port = await smsc.start()
    gateway = Gateway(state=state, links=[link_table(port)])
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await smsc.wait_bound(60)
        campaign = gateway.campaign()
        serials = read_series(gateway.codes(campaign, plan.n))
        messages = mixed(list(serials), plan)
        traffic = Traffic(
            messages=messages,
            destination=campaign.short_number.encode(),
            window=plan.window,
            freed_by=plan.slots,
            rate=plan.rate,
            receipts=plan.receipts,
            answer_delay_s=plan.answer_delay_s,
        )
        await gateway.restart("smpp")
        await smsc.wait_bound()
        journal = smsc.begin(traffic)
        killed = await kill_along(gateway, journal, schedule(plan), plan.seconds)
        await smsc.finished(quiet_s=QUIET_S)
        await gateway.until(lambda: settled(gateway, len(messages)), "the outbox did not settle", SETTLE_S)
        if plan.receipts:
            await gateway.until(lambda: filed(gateway), "receipts were not filed", SETTLE_S)
        deadly = sum(victim != "worker" for victim in killed)
        verdict = judge(
            journal,
            serials,
            stored(gateway),
            points=campaign.points,
            most_doubled=plan.window * deadly,
        )
        if sorted(killed) != sorted(k.victim for k in schedule(plan)):
            verdict = replace(verdict, faults=[*verdict.faults, f"only {len(killed)} kills could be done"])
        await gateway.stop()
    await smsc.stop()
    return verdict


def mixed(codes: Sequence[str], plan: Plan) -> list[Mo]:
    """The texts with good codes, and here and there one whose code was never issued."""
    chance = random.Random(plan.seed)  # noqa: S311 - repeatable on purpose
    good = activations(codes)
    never_issued = [_altered(chance.choice(codes), chance) for _ in range(plan.invalid)]
    wrong = activations(never_issued, first_sender=len(codes))
    found = list(good)
    for mo in wrong:
        found.insert(chance.randrange(len(found)), mo)
    return found


def _altered(code: str, chance: random.Random) -> str:
    """A well-formed code of digits that is, with the odds of the space, none of ours."""
    return "".join(chance.choice("0123456789") if c.isdecimal() else c for c in code)


async def kill_along(gateway: Gateway, journal: Journal, kills: Sequence[Kill], seconds: float) -> list[str]:
    """Carry out the kills as the run goes on; returns the victims that were hit."""
    done: list[str] = []
    begun = time.monotonic()
    for kill in kills:
        await until_answered(gateway, journal, kill.answered)
        if time.monotonic() - begun > seconds:
            break
        await asyncio.sleep(kill.delay_s)
        # In a thread: the SMSC must not hold its breath while the victim is looked up.
        if kill.victim == EVERYTHING:
            await asyncio.to_thread(gateway.kill_everything)
            gateway.start("up")
        else:
            await until_killed(gateway, kill.victim)
        done.append(kill.victim)
        print(f"killed {kill.victim} after {journal.statuses[0]} texts", file=sys.stderr, flush=True)
    return done


async def until_answered(gateway: Gateway, journal: Journal, count: int) -> None:
    """Wait until so many texts are acknowledged, however long the restarts before take."""
    complaint = f"{count} texts were not acknowledged"
    await gateway.until(lambda: journal.statuses[0] >= count, complaint, timeout_s=120, every_s=0.002)


async def until_killed(gateway: Gateway, victim: str) -> None:
    """Kill a process; one that is just being started again is waited for."""
    for _ in range(TRIES):
        if await asyncio.to_thread(gateway.kill, victim):
            return
        await asyncio.sleep(BEING_STARTED_S)
    raise HarnessError(f"no {victim} to kill\n{gateway.log_tails()}")


def settled(gateway: Gateway, texts: int) -> bool:
    """Whether every answer's outcome has reached SQL."""
    ended = gateway.sql("SELECT count(*) FROM message WHERE ended_at IS NOT NULL")[0][0]
    return bool(ended >= texts)


def filed(gateway: Gateway) -> bool:
    """Whether the receipt of every answer has reached SQL."""
    without = "SELECT count(*) FROM message WHERE state <> 'delivered'"
    return bool(gateway.sql(without)[0][0] == 0)


def main() -> None:
    """Command line."""
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=usual.n)
    parser.add_argument("--window", type=int, default=usual.window)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--rounds", type=int, default=usual.rounds)
    parser.add_argument("--slots", type=FreedBy, default=usual.slots, choices=list(FreedBy))
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seconds", type=float, default=usual.seconds)
    plan = Plan(**vars(parser.parse_args()))
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="kill-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(plan, Path(folder)))
    summary.keep("kill", {"plan": asdict(plan), **asdict(verdict)})
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
