"""A connection's lines, none longer and none later than the limits allow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ivr.agi import wire
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.agi.limits import AgiLimits
from ivr.agi.wire import Result


class Peer:
    """Whoever has connected. One command at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, limits: AgiLimits) -> None:
        """`reader` must have `limits.most_line` as its limit."""
        self._reader = reader
        self._writer = writer
        self._limits = limits

    async def environment(self) -> dict[str, str]:
        """What Asterisk tells at the start (`agi_…`). Raises AgiError."""
        limits = self._limits
        try:
            async with asyncio.timeout(limits.first_line_s):
                lines = [await self._line()]
            async with asyncio.timeout(limits.environment_s):
                while lines[-1]:
                    if len(lines) > limits.most_lines or sum(map(len, lines)) > limits.most_environment:
                        raise AgiError(Fault.TOO_LONG, "the environment has no end")
                    lines.append(await self._line())
        except TimeoutError as err:
            raise AgiError(Fault.SILENT, "the environment is late") from err
        except HungUp as err:
            raise AgiError(Fault.HALF, "closed within the environment") from err
        return wire.environment(lines[:-1])

    async def ask(self, command: bytes, within_s: float) -> Result:
        """Send a command and read its answer. Raises HungUp and AgiError."""
        try:
            async with asyncio.timeout(within_s):
                self._writer.write(command)
                await self._writer.drain()
                line = await self._line()
                if line.startswith(wire.INTERIM):
                    line = await self._skip(lambda line: not line.startswith(wire.INTERIM))
                if wire.opens_usage(line):
                    line = await self._skip(wire.ends_usage)
        except TimeoutError as err:
            raise AgiError(Fault.SILENT, "no answer to a command") from err
        except ConnectionError as err:
            raise HungUp from err
        return wire.result(line)

    async def _skip(self, ends: Callable[[str], bool]) -> str:
        """The first line that ends what is of no interest. Raises AgiError after too many others."""
        for _ in range(self._limits.most_lines):
            if ends(line := await self._line()):
                return line
        raise AgiError(Fault.TOO_LONG, "an answer has no end")

    async def _line(self) -> str:
        """One line without its end. Raises HungUp at the end of all lines, and AgiError."""
        try:
            octets = await self._reader.readuntil(b"\n")
        except asyncio.LimitOverrunError as err:
            raise AgiError(Fault.TOO_LONG, "a line has no end") from err
        except (asyncio.IncompleteReadError, ConnectionError) as err:
            raise HungUp from err
        return octets[:-1].decode("utf-8", "replace")
