"""`make soak-octets`: mutated captures of real SMSCs against a session, and against the real process.

Every stream goes to a session of its own in memory: whatever it holds, nothing is raised, each message that
was handed on is answered once, and what waits stays bounded. Then some of them go to the gateway over TCP,
again and again: the process lives, and a text that comes afterwards is credited.

    python -m tests.soak.octets [--seconds 3600] [--seed 1]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from config.link_settings import LinkSettings
from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import DeliverSm, Outcome
from smpp.session.counters import Tally
from smpp.session.session import Session
from tests.bench.load_run import Traffic
from tests.bench.load_texts import activations, read_series
from tests.bench.smsc_load import LoadSmsc
from tests.harness import ROOT, Gateway, link_table
from tests.peers import capture
from tests.soak import summary
from tests.soak.mutator import Mutator

BOUND: Final = codec.encode_bind_resp(BindKind.TRANSCEIVER, statuses.ROK, 1, "smsc")
IN_PROCESS: Final = 200  # streams that the real process gets
SETTINGS: Final = LinkSettings(name="peer", host="x", system_id="undercap")


@dataclass(kw_only=True, slots=True)
class Verdict:
    """What was tried, how sessions ended, and what was wrong."""

    seed: int
    streams: int = 0
    octets: int = 0
    handed_on: int = 0
    ended: int = 0
    answers: dict[str, int] = field(default_factory=dict)
    in_process: int = 0
    credited: int = 0
    faults: list[str] = field(default_factory=list)


class Wire:
    """A transport in memory: keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False

    def write(self, octets: bytes) -> None:
        """Keep it."""
        self.written += octets

    def close(self) -> None:
        """The end."""
        self.closed = True

    abort = close

    def is_closing(self) -> bool:
        """Whether it has ended."""
        return self.closed

    def get_extra_info(self, _name: str) -> None:
        """There is no socket."""

    def pause_reading(self) -> None:
        """It never reads by itself."""

    resume_reading = pause_reading


class Owner:
    """Answers each message at once, and counts."""

    def __init__(self) -> None:
        self.messages: list[DeliverSm] = []
        self.twice = 0

    def on_bound(self, session: Session) -> None:
        """From the session."""

    def on_messages(self, session: Session, messages: list[DeliverSm]) -> None:
        """From the session."""
        self.messages += messages
        self.twice += sum(not session.answer(message.sequence, statuses.ROK) for message in messages)

    def on_results(self, session: Session, results: list[Outcome]) -> None:
        """From the session."""

    def on_closed(self, session: Session) -> None:
        """From the session."""


async def one(pieces: list[bytes], verdict: Verdict) -> None:
    """A session of its own for one stream."""
    owner, pipe = Owner(), Wire()
    session = Session(SETTINGS, BindKind.TRANSCEIVER, owner, Tally(), max_unanswered=1000)
    session.connection_made(cast(asyncio.Transport, pipe))
    session.data_received(BOUND)
    for piece in pieces:
        if not pipe.closed:
            session.data_received(piece)
    await asyncio.sleep(0)  # what a turn of the loop has to say leaves in the next
    written = _read(bytes(pipe.written))
    roks = Counter(seq for command, status, seq in written if command & wire.RESPONSE and status == 0)
    verdict.handed_on += len(owner.messages)
    verdict.ended += pipe.closed
    for command, status, _ in written:
        name = f"0x{command:08x} 0x{status:x}"
        verdict.answers[name] = verdict.answers.get(name, 0) + 1
    waiting = len(session._dialogue._rest)
    if owner.twice:
        verdict.faults.append(f"{owner.twice} messages could not be answered")
    if any(roks[message.sequence] < 1 for message in owner.messages) and not pipe.closed:
        verdict.faults.append("a message was handed on and not answered")
    if waiting > wire.MAX_LENGTH:
        verdict.faults.append(f"{waiting} octets wait")
    session.connection_lost(None)


def _read(octets: bytes) -> list[tuple[int, int, int]]:
    """Command, status and sequence of every PDU that we wrote; what is no PDU raises."""
    found, at = [], 0
    while at < len(octets):
        length, command, status, sequence = wire.HEADER.unpack_from(octets, at)
        assert length >= 16, "we wrote what is no PDU"
        found.append((command, status, sequence))
        at += length
    return found


def bent(seed: int) -> Iterator[tuple[bytes, list[bytes]]]:
    """Streams without end, each with the pieces in which it comes; the same seed makes the same ones."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    captures = capture.load()
    while True:
        mutator = Mutator(chance.getrandbits(64), share=chance.choice((0.1, 0.5, 0.9)))
        stream = mutator.stream(chance.choices(captures, k=chance.randint(1, 8)))
        yield stream, mutator.pieces(stream)


async def in_memory(streams: Iterator[tuple[bytes, list[bytes]]], seconds: float, verdict: Verdict) -> None:
    """As many streams as there is time for."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not verdict.faults:
        stream, pieces = next(streams)
        try:
            await one(pieces, verdict)
        except Exception as err:  # noqa: BLE001 - this is what is looked for
            verdict.faults.append(f"{type(err).__name__}: {err} on {stream.hex()}")
        verdict.streams += 1
        verdict.octets += len(stream)


async def in_process(source: Iterator[tuple[bytes, list[bytes]]], state: Path, verdict: Verdict) -> None:
    """The real gateway binds to an SMSC that writes mutations, then to one that behaves and texts codes."""
    streams = [pieces for _, pieces in itertools.islice(source, IN_PROCESS)]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(16)
            writer.write(BOUND)
            for piece in streams.pop() if streams else ():
                writer.write(piece)
                await writer.drain()
            verdict.in_process += 1
            writer.write(codec.encode_enquire_link(7))
            await asyncio.wait_for(reader.read(1 << 16), 1.0)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    link = link_table(port, reconnect_max_s=0.05)
    gateway = Gateway(state=state, links=[link])
    with closing(gateway):
        gateway.write_config()
        gateway.start("up")
        await gateway.until(lambda: verdict.in_process > 0, "it does not bind", timeout_s=60)
        process = gateway.pid("smpp")
        campaign = gateway.campaign()
        codes = list(read_series(gateway.codes(campaign, 20)))
        await gateway.until(lambda: not streams, "streams are left", timeout_s=240)
        server.close()
        await server.wait_closed()
        smsc = LoadSmsc()
        await smsc.start(port)
        await smsc.wait_bound(60)
        if gateway.pid("smpp") != process:
            verdict.faults.append("the smpp process was started again")
        traffic = Traffic(messages=activations(codes), destination=b"4040", window=5)
        journal = await smsc.run(traffic, quiet_s=20)
        verdict.credited = gateway.sql("SELECT count(*) FROM activation")[0][0]
        if verdict.credited != len(codes) or journal.figures().lost:
            verdict.faults.append(f"{verdict.credited} of {len(codes)} codes were credited afterwards")
        await gateway.stop()
        await smsc.stop()


async def run(seconds: float, seed: int, state: Path) -> Verdict:
    """Both parts."""
    streams, verdict = bent(seed), Verdict(seed=seed)
    await in_memory(streams, seconds, verdict)
    await in_process(streams, state, verdict)
    return verdict


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--seed", type=int, default=1)
    arguments: Any = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-", dir=ROOT / "build") as folder:
        verdict = asyncio.run(run(arguments.seconds, arguments.seed, Path(folder)))
    summary.keep("octets", asdict(verdict) | {"seconds": arguments.seconds})
    sys.exit(1 if verdict.faults else 0)


if __name__ == "__main__":
    main()
