"""`make bench-fanout`: recipients a second of the fan-out, the time to the first submit, memory at any size.

The shoppers of one firm stand in SQL and have all said yes. A blast for them is launched by HTTP on a running
gateway whose SMSC answers each submit at once; time runs from the request. First the gateway's own way, in
which only so many wait in Redis as the link can take; then the fan-out by itself, each batch taken away as
soon as it is queued. A blast by call is fanned out by itself only: the dialer is measured elsewhere. Prints a
table; the last line is one JSON object.

    python -m tests.bench.fanout [--n 1000000] [--seconds 20] [--channel call]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from campaigns.context import DialLimits
from campaigns.fan_out.fan_out import BATCH, FanOut, Step
from campaigns.lifecycle import draft, lifecycle
from campaigns.lifecycle.draft import NewBlast
from config import settings as settings_module
from gateway.domain.consent.word import Channel
from gateway.domain.offers.offer_call import CallPlan, Outcome, Spoken
from gateway.domain.sms.priority import Priority
from gateway.entry.wiring.backing import Backing, open_backing
from gateway.entry.wiring.campaigns import blast_desk
from gateway.store.calls import recordings
from gateway.store.codes import catalog as catalog_store
from gateway.store.offers import call_list
from gateway.store.people import shoppers
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.vault import master_secret
from gateway.store.vault.vault import Vault
from tests.acceptance.offers import SAID, WORDS, to_noon
from tests.bench import machine, processes
from tests.bench.bulk_smsc import BulkSmsc
from tests.harness import ROOT, Gateway, link_table

CHUNK: Final = 5_000
LINK: Final = "peer"
ROLES: Final = ("smpp", "worker", "blasts", "api", "valkey")


def fill(gateway: Gateway, firm_id: int, n: int) -> None:
    """`n` shoppers of a firm who have said yes."""
    vault = Vault(master_secret.load_or_make(settings_module.load(gateway.config)))
    with closing(gateway.redis()) as redis:
        for at in range(1, n + 1, CHUNK):
            those = range(at, min(at + CHUNK, n + 1))
            numbers = {i: f"38050{i:07}" for i in those}
            known = {i: vault.index(numbers[i]) for i in those}
            with database.writing(gateway.engine()) as connection:
                rows = [
                    {"id": i, **shoppers.row(vault, key=known[i], number=numbers[i].encode(), **SAID)}
                    for i in those
                ]
                connection.execute(insert(schema.shopper), rows)
                balances = [{"shopper_id": i, "firm_id": firm_id, "points": i % 500} for i in those]
                connection.execute(insert(schema.balance), balances)
            pipe: Any = redis.pipeline(transaction=False)
            for key in known.values():
                pipe.set(keys.consent(firm_id, key), "in:1")
            pipe.execute()


def memory(gateway: Gateway) -> dict[str, int]:
    """MiB that each process holds now."""
    return {
        role: processes.resident_kib(pid) // 1024 for role, pid in gateway.pids().items() if role in ROLES
    }


async def through(gateway: Gateway, smsc: BulkSmsc, blast: int, seconds: float) -> dict[str, Any]:
    """Launch it, and watch for so long."""
    begun = time.monotonic()
    await asyncio.to_thread(gateway.cli, "blast", "launch", "--firm", "acme", str(blast))
    told_s = time.monotonic() - begun
    await gateway.until(lambda: smsc.journal.segments > 0, "nothing reaches the SMSC")
    first_s = smsc.journal.first_at - begun
    await asyncio.sleep(seconds)
    journal = smsc.journal
    drawn = gateway.sql("SELECT drawn FROM blast WHERE id = :id", id=blast)[0][0]
    doubled = sum(count - 1 for count in journal.numbers.values())
    with closing(gateway.redis()) as redis:
        waiting = redis.xlen(keys.send(1, LINK, Priority.BULK))
    return {
        "launched_s": round(told_s, 2),
        "first_submit_s": round(first_s, 2),
        "submits_per_s": round(journal.segments / journal.seconds) if journal.seconds else 0,
        "drawn": drawn,
        "waiting_in_redis": waiting,
        "doubled": doubled,
        "mib": memory(gateway),
    }


def alone(gateway: Gateway, audience: int, campaign: int, channel: str) -> dict[str, Any]:
    """The fan-out of a whole audience in this process; what it hands over is taken away after each step.

    Only the steps are timed.
    """
    opened = open_backing(settings_module.load(gateway.config))
    catalog = catalog_store.load(opened.engine, opened.vault)
    desk = replace(
        blast_desk(opened, lambda: catalog), dialing=DialLimits(channels=1_000, calls_per_s=1_000.0)
    )
    call = _plan(opened) if channel == Channel.CALL else None
    new = NewBlast(name="alone", audience=audience, campaign=campaign, texts=WORDS, call=call)
    blast = lifecycle.launch(desk, draft.create(desk, 1, new, desk.clock()), desk.clock())
    fan_out, before = FanOut(desk), processes.resident_kib(os.getpid())
    seconds, peak, step = 0.0, 0, Step.WORKED
    while step in (Step.WORKED, Step.FULL):
        begun = time.monotonic()
        step = fan_out.step(blast.id, desk.clock())
        seconds += time.monotonic() - begun
        _take_away(opened, blast.id, call=call is not None)
        peak = max(peak, processes.resident_kib(os.getpid()))
    drawn = gateway.sql("SELECT drawn FROM blast WHERE id = :id", id=blast.id)[0][0]
    return {
        "channel": channel,
        "drawn": drawn,
        "recipients_per_s": round(drawn / seconds),
        "seconds": round(seconds, 1),
        "then": step.value,
        "grew_mib": round((peak - before) / 1024, 1),
    }


def _take_away(opened: Backing, blast: int, *, call: bool) -> None:
    """What the sender, or the dialer, would have taken."""
    if call:
        call_list.end_waiting(opened.engine, blast, Outcome.HEARD, 1, most=2 * BATCH)
    else:
        opened.redis.xtrim(keys.send(1, LINK, Priority.BULK), maxlen=0, approximate=False)


def _plan(opened: Backing) -> CallPlan:
    new = recordings.New(1, "said", "en", "uploaded", None, b"", 1000)
    said = recordings.add(opened.engine, new, 1).id
    return CallPlan(spoken={"en": Spoken(intro=said, offer=said)})


async def bench(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything, in order; returns the last line's object."""
    with tempfile.TemporaryDirectory(prefix="fanout-", dir=arguments.dir) as folder:
        smsc = BulkSmsc()
        port = await smsc.start()
        links = [link_table(port, name=LINK, window=100)]
        gateway = Gateway(state=Path(folder), links=links, clock_offset_s=to_noon())
        with closing(gateway):
            gateway.write_config()
            gateway.start("up")
            await gateway.until(gateway.answers, "Redis does not answer")
            campaign = gateway.campaign()
            begun = time.monotonic()
            await asyncio.to_thread(fill, gateway, 1, arguments.n)
            print(f"{arguments.n} shoppers in {time.monotonic() - begun:.0f} s", flush=True)
            gateway.cli("audience", "add", "--firm", "acme", "--name", "all")
            texts = Path(folder) / "texts.toml"
            texts.write_text("\n".join(f"{key} = {json.dumps(words)}" for key, words in WORDS.items()))
            told: dict[str, Any] = {}
            if arguments.channel == Channel.SMS:
                draft = ("--audience", "1", "--campaign", campaign.id, "--texts", str(texts))
                blast = int(gateway.cli("blast", "add", "--firm", "acme", "--name", "through", *draft))
                told["through"] = await through(gateway, smsc, blast, arguments.seconds)
                print(f"through the gateway: {told['through']}", flush=True)
                gateway.cli("blast", "cancel", "--firm", "acme", str(blast))
            gateway.kill("blasts")
            told["alone"] = await asyncio.to_thread(alone, gateway, 1, int(campaign.id), arguments.channel)
            print(f"alone: {told['alone']}", flush=True)
            await gateway.stop()
        await smsc.stop()
    return {"bench": "fanout", "n": arguments.n, **told, "machine": asdict(machine.machine())}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1_000_000, help="shoppers")
    parser.add_argument("--channel", choices=list(Channel), default="sms", help="call: by itself alone")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long it is watched")
    parser.add_argument("--dir", type=Path, default=ROOT / "build", help="where the state directory is made")
    arguments = parser.parse_args()
    arguments.dir.mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(bench(arguments)), ensure_ascii=False))


if __name__ == "__main__":
    main()
