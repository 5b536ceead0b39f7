"""`make soak-calls`: many callers of SIPp on a real Asterisk, the whole gateway behind it.

Each caller presses three keys and hangs up; some call again, some withhold their number. The count is SIPp's
own, held against Asterisk's and against the aliases in SQL. Each sentence is a short tone, so that it is the
talk that is proved and not how many streams of sound a machine can send; `--spoken` takes the real ones.

    python -m tests.soak.calls [--n 6000] [--rate 50] [--pause-s 5] [--seed 1] [--release 22] [--spoken]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import secrets
import shlex
import socket
import sys
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from config.prompts import PAUSE, load
from config.texts import LANGUAGES
from tests.harness import ROOT, Gateway
from tests.peers import fetch
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace, free_port
from tests.peers.hearing import write_prompt
from tests.peers.sipp_load import KEYS, Load, LoadCount, push
from tests.soak import summary

FREE_NUMBER: Final = "0800123456"
WITHHELD: Final = "anonymous"
SLACK_S: Final = 60.0
GIVEN_UP: Final = "agi connection given up"
PROCESSED: Final = re.compile(r"(\d+) calls? processed")


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """`rate`: calls a second; a call lasts four times `pause_s`, so that many are there at once."""

    n: int = 6000
    rate: float = 50.0
    pause_s: float = 5.0
    seed: int = 1
    release: str = "22"
    spoken: bool = False


@dataclass(kw_only=True, slots=True)
class Verdict:
    """`count`: SIPp's. `processed`: calls by Asterisk's count. `given_up`: lines of our log that say so."""

    count: LoadCount
    processed: int
    callers: int
    aliases: int
    given_up: int
    left: int  # channels at the end
    faults: list[str] = field(default_factory=list)


async def run(plan: Plan, state: Path) -> Verdict:
    """The whole run in `state`. Raises PeerMissingError, HarnessError."""
    sounds, agi_port = state / "sounds", free_port(socket.SOCK_STREAM)
    free = {"number": FREE_NUMBER, "short_number": "4040"}
    ivr: dict[str, object] = {
        "enabled": True,
        "agi_port": agi_port,
        "sounds_dir": str(sounds),
        "free_numbers": [free],
    }
    ivr |= {"region": "UA", "most_calls": 10_000, "new_callers_per_hour": 1_000_000}
    gateway = Gateway(state=state, links=[], settings={"ivr": ivr})
    with closing(gateway):
        gateway.write_config()
        if plan.spoken:
            _make_prompts(gateway, sounds)
        else:
            _make_tones(sounds)
        gateway.start("up")
        await gateway.until(lambda: gateway.pid("ivr") is not None, "the IVR process did not start")
        gateway.campaign(short_number="4040")
        await gateway.restart("ivr")  # it knows the campaign then
        await gateway.until(lambda: _listens(agi_port), "the IVR process does not listen")
        place = AsteriskPlace(agi_port=agi_port, sounds=sounds, most_calls=10_000, verbose=0)
        async with running(fetch.asterisk(plan.release), place) as asterisk:
            verdict = await _call(plan, asterisk, gateway, state)
        await gateway.stop()
    verdict.faults = list(_faults(plan, verdict))
    return verdict


async def _call(plan: Plan, asterisk: Asterisk, gateway: Gateway, state: Path) -> Verdict:
    numbers = _numbers(plan)
    load = Load(called=FREE_NUMBER, numbers=numbers, rate=plan.rate, pause_s=plan.pause_s, seed=plan.seed)
    most_s = plan.n / plan.rate + (KEYS + 1) * plan.pause_s + SLACK_S
    count = await push(fetch.sipp(), asterisk.sip_port, load, state, most_s)
    told = await asterisk.cli("core show channels count")
    processed = PROCESSED.search(told)
    return Verdict(
        count=count,
        processed=int(processed[1]) if processed else 0,
        left=int(told.split()[0]),
        callers=len(set(numbers) - {WITHHELD}),
        aliases=gateway.sql("SELECT count(*) FROM alias")[0][0],
        given_up=(state / "up.log").read_text(encoding="utf-8").count(GIVEN_UP),
    )


def _faults(plan: Plan, verdict: Verdict) -> list[str]:
    expected = {
        "successful by SIPp's count": (verdict.count.successful, plan.n),
        "failed by SIPp's count": (verdict.count.failed, 0),
        "processed by Asterisk's count": (verdict.processed, plan.n),
        "aliases": (verdict.aliases, verdict.callers),
        "connections given up": (verdict.given_up, 0),
        "channels left": (verdict.left, 0),
    }
    return [f"{name}: {is_}, not {wanted}" for name, (is_, wanted) in expected.items() if is_ != wanted]


def _numbers(plan: Plan) -> list[str]:
    """One in ten withholds his number; one in five of the others has called before."""
    chance = random.Random(plan.seed)  # noqa: S311 - a test's choices
    numbers: list[str] = []
    for at in range(plan.n):
        if chance.random() < 0.1:
            numbers.append(WITHHELD)
        elif numbers and chance.random() < 0.2:
            numbers.append(chance.choice(numbers))
        else:
            numbers.append(f"38067{at:07}")
    return numbers


def _make_prompts(gateway: Gateway, sounds: Path) -> None:
    voice = {"--espeak": fetch.espeak_ng(), "--sox": fetch.sox()}
    programs = [part for option, program in voice.items() for part in (option, shlex.join(program.argv))]
    gateway.cli("prompts", "make", "--into", str(sounds), *programs)


def _make_tones(sounds: Path) -> None:
    for language in LANGUAGES:
        for name in (*load(language), PAUSE):
            write_prompt(sounds / language / f"{name}.wav", (440,))


def _listens(port: int) -> bool:
    """Without a connection, which would be one that is given up (proc(5): 0A is LISTEN)."""
    return f"0100007F:{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text(encoding="ascii")


def main() -> None:
    """Command line."""
    usual = Plan()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=usual.n)
    parser.add_argument("--rate", type=float, default=usual.rate)
    parser.add_argument("--pause-s", type=float, default=usual.pause_s)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--release", choices=sorted(fetch.ASTERISK_SUITES), default=usual.release)
    parser.add_argument("--spoken", action="store_true")
    plan = Plan(**vars(parser.parse_args()))
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="calls-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(plan, Path(folder)))
    summary.keep("calls", {"plan": asdict(plan), **asdict(verdict)})
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
