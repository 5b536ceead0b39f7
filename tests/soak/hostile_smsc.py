"""An SMSC that pushes good texts between bent PDUs, and knows which of the good ones were acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter, deque
from collections.abc import Sequence

from smpp import codec, wire
from smpp.pdus import DeliverSm
from tests.bench.journal import Mo
from tests.peers.capture import captures
from tests.soak.mutator import Mutator

AT_ONCE = 20  # good texts in one burst
RETRY_S = 5.0  # a good text without an answer is said again
# Far from every number in the captures: a bent one does not hit them by one bit.
FIRST_NUMBER = 0x2A5A0000


class HostileSmsc:
    """Listens on 127.0.0.1; well-behaved until it is told otherwise. `share` of its PDUs are bent then."""

    def __init__(self, destination: str, seed: int) -> None:
        self.port = 0
        self.share = 0.0
        self.supply = 0  # good texts that may be said now
        self.acknowledged: set[str] = set()  # codes of texts that got ROK
        self.said: Counter[str] = Counter()
        self.statuses: Counter[int] = Counter()
        self._destination = destination
        self._waiting: deque[Mo] = deque()
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._captures = list(captures().values())
        self._numbers = itertools.count(FIRST_NUMBER)
        self._ids = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    def begin(self, texts: Sequence[Mo], share: float) -> None:
        """Bend from now on; the good texts are said as `supply` allows."""
        self._waiting.extend(texts)
        self.share = share

    def behave(self) -> None:
        """No more bent PDUs; every good text that is left may be said."""
        self.share, self.supply = 0.0, len(self._waiting)

    async def start(self) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        self.said["sessions"] += 1
        unanswered: dict[int, tuple[Mo, float]] = {}
        try:
            async with asyncio.TaskGroup() as both:
                bound = asyncio.Event()
                owed: list[bytes] = []  # answers, which leave between bursts: never inside a PDU
                listening = both.create_task(self._listen(reader, writer, bound, owed, unanswered))
                talking = both.create_task(self._talk(writer, bound, owed, unanswered))
                await asyncio.wait({listening, talking}, return_when=asyncio.FIRST_COMPLETED)
                talking.cancel()
                writer.close()
        except* (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._keep(*(mo for mo, _ in unanswered.values()))  # what was not acknowledged comes again

    async def _talk(
        self,
        writer: asyncio.StreamWriter,
        bound: asyncio.Event,
        owed: list[bytes],
        unanswered: dict[int, tuple[Mo, float]],
    ) -> None:
        await bound.wait()
        while not writer.is_closing():
            mutator = Mutator(self._chance.getrandbits(32), self.share)
            writer.write(b"".join(owed))
            owed.clear()
            for piece in mutator.pieces(self._burst(mutator, unanswered)):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0)
            await asyncio.sleep(0.02)  # the pace of the run, not a wait for anything

    def _burst(self, mutator: Mutator, unanswered: dict[int, tuple[Mo, float]]) -> bytes:
        """A bent stretch of a capture, then good texts. The unbind at its end is kept for a few."""
        said, now = b"", time.monotonic()
        late = [number for number, (_, at) in unanswered.items() if now - at > RETRY_S]
        self._keep(*(unanswered.pop(number)[0] for number in late))  # swallowed by a bent one before it
        if self.share:
            capture = self._chance.choice(self._captures)[1:]
            if self._chance.random() < 0.9:
                capture = capture[:-1]
            start = self._chance.randrange(len(capture))
            said = mutator.stream(capture[start : start + self._chance.randint(1, 6)])
            self.said["bent bursts"] += 1
        for _ in range(min(AT_ONCE, self.supply, len(self._waiting))):
            mo = self._waiting.popleft()
            self.supply -= 1
            number = next(self._numbers)
            unanswered[number] = mo, now
            said += self._octets(number, mo)
            self.said["texts"] += 1
        return said

    def _keep(self, *texts: Mo) -> None:
        self._waiting.extend(texts)
        self.supply += len(texts)

    def _octets(self, number: int, mo: Mo) -> bytes:
        message = DeliverSm(number, mo.sender.decode(), 1, 1, self._destination, 0, mo.coding, mo.text)
        octets = wire.encode_deliver(message, dest_ton=3)
        assert isinstance(octets, bytes)
        return octets

    async def _listen(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        bound: asyncio.Event,
        owed: list[bytes],
        unanswered: dict[int, tuple[Mo, float]],
    ) -> None:
        while True:
            head = await reader.readexactly(16)
            length, command, status, number = wire.HEADER.unpack(head)
            body = await reader.readexactly(length - 16)
            if command == wire.DELIVER_SM_RESP:
                self.statuses[status] += 1
                mo, _ = unanswered.pop(number, (None, 0.0))
                if mo is not None and status == 0:
                    self.acknowledged.add(mo.code)
                elif mo is not None:
                    self._keep(mo)
            elif command == wire.SUBMIT_SM:
                self.said["answers taken"] += 1
                owed.append(wire.encode_answer(wire.SUBMIT_SM_RESP, 0, number, f"h{next(self._ids)}"))
            elif command == codec.ENQUIRE_LINK:
                owed.append(codec.encode_enquire_link_resp(number))
            elif command == codec.UNBIND:
                writer.write(codec.encode_unbind_resp(number))
                with contextlib.suppress(ConnectionError):
                    await writer.drain()
                return
            elif command == codec.GENERIC_NACK:
                self.said["generic_nacks"] += 1
            elif not bound.is_set():
                asked = codec.decode_bind(head + body)
                assert isinstance(asked, codec.BindRequest)
                writer.write(codec.encode_bind_resp(asked.kind, 0, number, "hostile"))
                bound.set()
