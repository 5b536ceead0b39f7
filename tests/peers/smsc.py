"""An SMSC that nobody here wrote, behind one set of verbs.

Each peer is a program of its own that wraps an independent SMPP library and speaks JSON lines on its
standard streams (`smpp34_smsc.py`, `node_smsc.js`, `perl_smsc.pl`), so a restart is a real one: the process
is killed and its connections go with it. Bytes travel as hexadecimal text.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

START_TIMEOUT_S: Final = 15.0
LINE_LIMIT: Final = 1 << 20
ROOT: Final = Path(__file__).parents[2]


class PeerError(Exception):
    """The peer's program did not start, or ended while it was needed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """How to run a peer: its name with the library's version, and the command line."""

    name: str
    version: str
    argv: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Submitted:
    """A `submit_sm` that the SMSC saw; `status` is what it answered, None where it kept silent."""

    source: str
    destination: str
    body: bytes
    data_coding: int
    esm_class: int
    registered_delivery: int
    message_id: str
    status: int | None
    at: float  # time.monotonic()


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A `deliver_sm` to send; `tlvs` are pairs of tag and value."""

    source: str
    destination: str
    body: bytes
    data_coding: int = 0
    esm_class: int = 0
    source_ton: int = 1
    source_npi: int = 1
    tlvs: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """How the SMSC answers `submit_sm`: refuse the next few, wait, keep silent, or answer in reverse."""

    throttle_next: int = 0
    throttle_status: int = 0x58
    answer_delay_s: float = 0.0
    no_answer: bool = False
    out_of_order: bool = False


@dataclass(slots=True)
class SmscPeer:
    """One SMSC process; `submitted` is its own journal, kept over restarts."""

    program: Program
    port: int = 0
    submitted: list[Submitted] = field(default_factory=list)
    bound: list[str] = field(default_factory=list)  # sessions that may receive
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None
    _waiting: dict[int, asyncio.Future[int | None]] = field(default_factory=dict)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _behaviour: Behaviour = Behaviour()

    async def start(self, port: int = 0) -> int:
        """Listen on 127.0.0.1; port 0 takes a free one. Returns the port. Raises PeerError."""
        self._process = await asyncio.create_subprocess_exec(
            *self.program.argv,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_LIMIT,
            cwd=ROOT,
        )
        self.port = 0
        self._reader = asyncio.create_task(self._read(self._process))
        self._tell(do="listen", port=port)
        await self._until(lambda: self.port != 0, START_TIMEOUT_S, f"{self.program.name} did not start")
        self.behave(self._behaviour)
        return self.port

    async def stop(self) -> None:
        """Kill the process: its connections break at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._reader is not None:
            await self._reader
        self._process = self._reader = None

    async def restart(self, pause: Callable[[], Awaitable[None]] | None = None) -> None:
        """Kill the SMSC and start it on the same port; `pause` is awaited while it is away."""
        port = self.port
        await self.stop()
        if pause is not None:
            await pause()
        await self.start(port)

    def behave(self, behaviour: Behaviour) -> None:
        """Answer `submit_sm` like this from now on, over restarts too."""
        self._behaviour = replace(behaviour, throttle_next=0)
        self._tell(
            do="behave",
            throttle_next=behaviour.throttle_next,
            throttle_status=behaviour.throttle_status,
            answer_delay_ms=round(behaviour.answer_delay_s * 1000),
            no_answer=behaviour.no_answer,
            out_of_order=behaviour.out_of_order,
        )

    async def wait_bound(self, timeout_s: float = 30.0) -> None:
        """Until a session that may receive is bound."""
        await self._until(lambda: bool(self.bound), timeout_s, f"nobody bound to {self.program.name}")

    async def deliver(self, delivery: Delivery, timeout_s: float = 30.0) -> int | None:
        """Send a text; returns the status that the peer answered, None if the connection broke first.

        Raises TimeoutError where no answer came in time.
        """
        number = next(self._ids)
        answer: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        self._tell(
            do="deliver",
            id=number,
            source=delivery.source,
            destination=delivery.destination,
            body=delivery.body.hex(),
            data_coding=delivery.data_coding,
            esm_class=delivery.esm_class,
            source_ton=delivery.source_ton,
            source_npi=delivery.source_npi,
            tlvs=[[tag, value.hex()] for tag, value in delivery.tlvs],
        )
        try:
            return await asyncio.wait_for(answer, timeout_s)
        finally:
            self._waiting.pop(number, None)

    async def wait_submitted(
        self, wanted: Callable[[Sequence[Submitted]], bool], timeout_s: float = 30.0
    ) -> list[Submitted]:
        """Until the journal of submits is as wanted; returns it. Raises PeerError with what came instead."""
        await self._until(
            lambda: wanted(self.submitted),
            timeout_s,
            f"{self.program.name}: {len(self.submitted)} submits came, not the ones awaited",
        )
        return list(self.submitted)

    def sent_to(self, destination: str) -> list[Submitted]:
        """What was submitted for a number and accepted."""
        return [s for s in self.submitted if s.destination == destination and s.status == 0]

    async def unbind(self) -> None:
        """Ask every session to unbind (the SMSC's own `unbind`)."""
        self._tell(do="unbind")

    def _tell(self, **command: Any) -> None:
        if self._process is None or self._process.stdin is None:
            raise PeerError(f"{self.program.name} is not running")
        self._process.stdin.write(json.dumps(command).encode() + b"\n")

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self._heard(json.loads(line))
            async with self._changed:
                self._changed.notify_all()
        self.bound.clear()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_result(None)
        async with self._changed:
            self._changed.notify_all()

    def _heard(self, said: dict[str, Any]) -> None:
        match said["event"]:
            case "listening":
                self.port = said["port"]
            case "bound" if said["receives"]:
                self.bound.append(said["session"])
            case "unbound" if said["session"] in self.bound:
                self.bound.remove(said["session"])
            case "delivered":
                answer = self._waiting.get(said["id"])
                if answer is not None and not answer.done():
                    answer.set_result(said["status"])
            case "submitted":
                fields = {k: v for k, v in said.items() if k not in ("event", "body")}
                self.submitted.append(
                    Submitted(body=bytes.fromhex(said["body"]), at=time.monotonic(), **fields)
                )
            case _:
                pass

    async def _until(self, true: Callable[[], bool], timeout_s: float, complaint: str) -> None:
        def settled() -> bool:
            return true() or (self._process is not None and self._process.returncode is not None)

        try:
            async with asyncio.timeout(timeout_s), self._changed:
                await self._changed.wait_for(settled)
        except TimeoutError as err:
            raise PeerError(complaint) from err
        if not true():
            raise PeerError(f"{complaint}: its process ended")
