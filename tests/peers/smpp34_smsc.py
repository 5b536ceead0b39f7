"""The SMSC on smpp34's server (PyPI), as a program: JSON lines in and out (see `tests.peers.smsc`).

python -m tests.peers.smpp34_smsc
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import socket
import sys
from typing import Any

import smpp34

OUT_OF_ORDER_WAIT_S = 0.05  # answers that gather for this long are given in reverse,
LONE_WAIT_S = 1.0  # and a lone one waits so long for a second, which a busy machine may bring late
ONE_BY_ONE_S = 0.02  # the library answers in threads and tells nothing: without a gap answers overtake


class Smpp34Smsc:
    """Keeps the sessions, and answers submits the way it was told to."""

    def __init__(self) -> None:
        self._server: smpp34.Server | None = None
        self._sessions: dict[str, smpp34.Esme] = {}
        self._how: dict[str, Any] = {}
        self._held: list[tuple[smpp34.SubmitSmEvent, str]] = []
        self._two_held = asyncio.Event()
        self._silent: list[smpp34.SubmitSmEvent] = []  # a dropped event would be answered by the library
        self._ids = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()

    async def obey(self, command: dict[str, Any]) -> None:
        """Carry out one command line."""
        match command.pop("do"):
            case "listen":
                await self._listen(command["port"])
            case "behave":
                self._how = command
            case "deliver":
                self._spawn(self._deliver(command))
            case "unbind":
                for session in list(self._sessions.values()):
                    await session.unbind()

    async def _listen(self, port: int) -> None:
        port = port or free_port()
        self._server = smpp34.Server("127.0.0.1", port, system_id="smpp34")
        await self._server.start()
        self._spawn(self._serve(self._server))
        say(event="listening", port=port)

    async def _serve(self, server: smpp34.Server) -> None:
        while True:
            event = await server.next()
            if isinstance(event, smpp34.Esme):
                self._sessions[event.session_id] = event
                say(event="bound", session=event.session_id, receives=event.can_receive)
            elif isinstance(event, smpp34.Unbound):
                self._sessions.pop(event.session_id, None)
                say(event="unbound", session=event.session_id)
            else:
                self._submitted(event)

    def _submitted(self, event: smpp34.SubmitSmEvent) -> None:
        message_id = f"{next(self._ids):x}"
        status: int | None = 0
        if self._how.get("throttle_next", 0) > 0:
            self._how["throttle_next"] -= 1
            status = self._how["throttle_status"]
        elif self._how.get("no_answer"):
            status = None
        payload = next((t.value for t in event.tlvs if t.tag == smpp34.TLV_MESSAGE_PAYLOAD), b"")  # type: ignore[attr-defined]
        say(
            event="submitted",
            source=event.source_addr,
            destination=event.destination_addr,
            body=(event.short_message or payload).hex(),
            data_coding=event.data_coding,
            esm_class=event.esm_class,
            registered_delivery=event.registered_delivery,
            message_id=message_id,
            status=status,
        )
        # After the journal: what was answered and then killed must stand in it.
        self._answer(event, message_id, status)

    def _answer(self, event: smpp34.SubmitSmEvent, message_id: str, status: int | None) -> None:
        if status is None:
            self._silent.append(event)
        elif status:
            event.reject(status)
        elif self._how.get("out_of_order"):
            self._held.append((event, message_id))
            if len(self._held) == 1:
                self._spawn(self._answer_held())
            else:
                self._two_held.set()
        elif self._how.get("answer_delay_ms"):
            self._spawn(self._answer_late(event, message_id, self._how["answer_delay_ms"] / 1000))
        else:
            event.accept(message_id)

    async def _answer_late(self, event: smpp34.SubmitSmEvent, message_id: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        event.accept(message_id)

    async def _answer_held(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._two_held.wait(), LONE_WAIT_S)
        await asyncio.sleep(OUT_OF_ORDER_WAIT_S)
        self._two_held.clear()
        held, self._held = self._held, []
        for event, message_id in reversed(held):
            event.accept(message_id)
            await asyncio.sleep(ONE_BY_ONE_S)

    async def _deliver(self, command: dict[str, Any]) -> None:
        session = next((s for s in reversed(self._sessions.values()) if s.can_receive), None)
        status: int | None = None
        if session is not None:
            try:
                answer = await session.deliver_sm(
                    command["destination"],
                    bytes.fromhex(command["body"]),
                    source_addr=command["source"],
                    source_addr_ton=command["source_ton"],
                    source_addr_npi=command["source_npi"],
                    dest_addr_ton=3,
                    data_coding=command["data_coding"],
                    esm_class=command["esm_class"],
                    tlvs=[smpp34.Tlv(tag, bytes.fromhex(value)) for tag, value in command["tlvs"]],
                )
                status = answer.command_status
            except smpp34.SmppError as err:
                print(f"smpp34: deliver_sm: {err}", file=sys.stderr)
        say(event="delivered", id=command["id"], status=status)

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def say(**event: Any) -> None:
    """Tell the test one thing."""
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def free_port() -> int:
    """A port that nobody listens on; smpp34 cannot tell which one it took for port 0."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def main() -> None:
    """Obey until standard input ends."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(limit=1 << 20)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    smsc = Smpp34Smsc()
    while line := await lines.readline():
        await smsc.obey(json.loads(line))


if __name__ == "__main__":
    asyncio.run(main())
