"""A process of ours that does as it is told: `scripted_child.py NAME MODE`. It notes what befalls it.

MODE: serve; hang (heeds no stop); crash (after it was ready); fault (a set-up fault); port:NUMBER (listens
there); silent (never ready); deaf (ignores SIGTERM outright).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time

from config import settings as settings_module
from config.settings import Settings
from gateway.entry.process import process, readiness

NAME, MODE = sys.argv[1:3]


def note(settings: Settings, what: str) -> None:
    """One line in the journal that the test reads."""
    with (settings.state_dir / "journal").open("a", encoding="ascii") as journal:
        journal.write(f"{what} {NAME} {os.getpid()} {time.monotonic():.3f}\n")


async def main(settings: Settings, stop: asyncio.Event) -> int:
    """The body of the process."""
    if MODE == "deaf":  # before anybody is told that it runs
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note(settings, "started")
    if MODE == "fault":
        raise process.SetupFaultError("redis: Redis 6.2.14 is too old")
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, note, settings, "reloaded")
    server = None
    if MODE.startswith("port:"):
        port = int(MODE.removeprefix("port:"))
        with process.listening("http.port", "127.0.0.1", port):
            server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    if MODE != "silent":
        readiness.ready({"API": "http://127.0.0.1:8080/"} if NAME == "api" else {})
    if MODE == "crash":
        raise RuntimeError("out of luck\nand of words")
    await stop.wait()
    note(settings, "stopping")
    if MODE == "hang":
        await asyncio.Event().wait()
    if server is not None:
        server.close()
    note(settings, "stopped")
    return 0


if __name__ == "__main__":
    sys.exit(process.run(NAME, settings_module.load(), main))
