"""The servers of `tests.bench.calls`, each a process of its own: our talk, or the floor.

The floor reads a call's environment, sends as many commands as the talk does, one after each answer, and
knows nothing of what it says: the least that FastAGI on asyncio can cost.

    python -m tests.bench.calls_server talk|floor COMMANDS
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from gateway.entry.process import process
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.talk.runner import FreeNumberTalk, Line
from tests.integration.ivr.callers_desk import FakeDesk

MOST_CALLS: Final = 10_000
COMMAND: Final = b'GET VARIABLE "NOTHING"\n'


async def talk() -> asyncio.Server | None:
    """Ours, with a desk that answers at once."""
    line = Line(
        short_numbers={"0800123456": "4040"},
        sounds_dir="/sounds",
        key_wait_s=5.0,
        most_call_s=300.0,
        region="UA",
        countries=frozenset(),
    )
    speak = FreeNumberTalk(line, FakeDesk(), lambda _record: None)
    server = AgiServer({"/free": speak}, AgiLimits(most_calls=MOST_CALLS, call_s=300.0), lambda _fault: None)
    print(await server.start("127.0.0.1", 0), flush=True)
    return server._server


async def floor(commands: int) -> asyncio.Server:
    """`commands`: of each call."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        for _ in range(commands):
            writer.write(COMMAND)
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    return server


async def main() -> None:
    """Until standard input ends."""
    kind, commands = sys.argv[1], int(sys.argv[2])
    server = await (talk() if kind == "talk" else floor(commands))
    await asyncio.to_thread(sys.stdin.read)
    if server is not None:
        server.close()


if __name__ == "__main__":
    process.collect_less()
    with asyncio.Runner(loop_factory=process._fast_loop()) as runner:
        runner.run(main())
