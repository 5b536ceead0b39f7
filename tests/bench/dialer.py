"""`make bench-dialer`: calls a second and CPU of the dialer, beside a loop that only originates (the floor).

A real Asterisk calls SIPp over its trunk; each call is answered at once and lasts a second. The dialer takes
its people from SQLite, slots and the gate from Valkey, and each talk comes to it over FastAGI; the floor has
the same AMI client make the same calls and nothing else, and their second is Asterisk's own. CPU is this
process' alone. Prints a table; the last line is one JSON object.

    python -m tests.bench.dialer [--n 1000] [--channels 50]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from config.logging import configure
from gateway.domain.offers.offer_call import Outcome
from ivr.agi.channel import Channel
from ivr.ami.call_result import CallResult
from ivr.ami.originate import Originate, over_trunk
from ivr.offer.order import OfferOrder
from tests.bench import machine
from tests.conftest import any_asterisk, sipp_program
from tests.integration.campaigns.market import Market
from tests.integration.house import House, Server
from tests.integration.ivr.ami import managing, settings_of, up
from tests.integration.ivr.offer_scene import Scene
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, free_port
from tests.peers.call_records import most_at_once, most_begun, read
from tests.peers.callee import answering

TALK_S: Final = 1.0
NUMBER: Final = "380670000009"
FLOOR: Final = f"[floor]\nexten => s,1,Wait({TALK_S:g})\n same => n,Hangup(16)\n"
FASTEST: Final = 1000.0  # calls a second: the channels decide


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """All but CPU by Asterisk's own records, from the first call's beginning to the last one's end."""

    who: str
    calls: int
    calls_per_s: float
    cpu_s_per_1000: float
    most_at_once: int
    most_a_second: int


async def bench(n: int, channels: int) -> list[Row]:
    """The dialer, then the floor."""
    async with _placed() as scene:
        return [await _dialer(scene, n, channels), await _floor(scene.asterisk, n, channels)]


async def _dialer(scene: Scene, n: int, channels: int) -> Row:
    scene.says = _a_second
    blast = scene.blast(scene.market.shoppers(n), channels=channels, calls_per_s=100.0)
    before = len(read(scene.asterisk.folder))
    cpu = time.process_time()
    async with scene.dialing(offer_channels=channels, offer_calls_per_s=FASTEST):
        while any(row[0] != "ended" for row in scene.calls(blast)):  # noqa: ASYNC110 - SQL tells nobody
            await asyncio.sleep(1.0)
    assert scene.calls(blast) == [("ended", Outcome.HEARD.value, 1, 1)] * n
    return await _row("dialer", scene.asterisk, n, before, time.process_time() - cpu)


async def _floor(asterisk: Asterisk, n: int, channels: int) -> Row:
    before = len(read(asterisk.folder))
    cpu = time.process_time()
    waiting = iter(range(n))
    async with managing(settings_of(asterisk)) as manager:
        await up(manager)

        async def call() -> None:
            for _ in waiting:
                end = await manager.originate(Originate(channel=over_trunk(NUMBER, TRUNK), context="floor"))
                assert end.result is CallResult.ANSWERED

        await asyncio.gather(*(call() for _ in range(channels)))
    return await _row("floor", asterisk, n, before, time.process_time() - cpu)


async def _row(who: str, asterisk: Asterisk, n: int, before: int, cpu_s: float) -> Row:
    while len(read(asterisk.folder)) < before + n:  # noqa: ASYNC110 - what Asterisk writes
        await asyncio.sleep(0.1)
    records = read(asterisk.folder)[before:]
    took_s = max(record.ended for record in records) - min(record.began for record in records)
    return Row(
        who=who,
        calls=n,
        calls_per_s=round(n / took_s, 1),
        cpu_s_per_1000=round(cpu_s / n * 1000, 2),
        most_at_once=most_at_once(records),
        most_a_second=most_begun(records, 1.0),
    )


async def _a_second(channel: Channel, order: OfferOrder) -> Outcome | None:
    del channel, order
    await asyncio.sleep(TALK_S)
    return Outcome.HEARD


@asynccontextmanager
async def _placed() -> AsyncIterator[Scene]:
    """Asterisk, its callees, Valkey and SQLite."""
    place = AsteriskPlace(
        agi_port=free_port(socket.SOCK_STREAM),
        callee_port=free_port(socket.SOCK_DGRAM),
        extra_dialplan=FLOOR,
        call_records=True,
        verbose=0,
    )
    with tempfile.TemporaryDirectory(prefix="uc-") as name:
        server = Server(Path(name))
        server.start()
        house = House(server_url=server.url, state=Path(name))
        try:
            async with (
                running(any_asterisk(), place) as asterisk,
                answering(sipp_program(), place.callee_port, status="200 OK"),
            ):
                yield Scene(Market(house), asterisk, Path(name))
        finally:
            await house.close()
            server.kill()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="calls of each")
    parser.add_argument("--channels", type=int, default=50)
    arguments = parser.parse_args()
    configure(process="bench", fmt="json", level="warning")
    rows = asyncio.run(bench(arguments.n, arguments.channels))
    print(f"{'':8} {'calls':>6} {'calls/s':>8} {'CPU s a 1,000':>14} {'at once':>8} {'in a second':>12}")
    for row in rows:
        cells = f"{row.who:8} {row.calls:6} {row.calls_per_s:8.1f} {row.cpu_s_per_1000:14.2f}"
        print(f"{cells} {row.most_at_once:8} {row.most_a_second:12}")
    told = {"bench": "dialer", "rows": [asdict(row) for row in rows], "machine": asdict(machine.machine())}
    print(json.dumps(told, ensure_ascii=False))


if __name__ == "__main__":
    main()
