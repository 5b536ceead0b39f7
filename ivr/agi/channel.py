"""A caller's line as a script sees it: answer, play, read keys, variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from ivr.agi import wire
from ivr.agi.faults import AgiError, Fault, HungUp
from ivr.agi.limits import AgiLimits
from ivr.agi.peer import Peer

KEYS: Final = "UNDERCAP_KEYS"
MOST_KEYS: Final = 64
_BREATH_S: Final = 0.05  # between two pieces of a list that is too long for one command
_NO_APPLICATION: Final = -2  # of EXEC, when Asterisk has not loaded it
_DEAD: Final = -1
_ROOM: Final = wire.MOST_COMMAND - 100  # of a list of files beside the other arguments


class Channel:
    """One call. Each method raises HungUp and AgiError."""

    def __init__(self, peer: Peer, env: Mapping[str, str], limits: AgiLimits) -> None:
        self.env = env  # what Asterisk told at the start, without `agi_`
        self._peer = peer
        self._limits = limits

    async def answer(self) -> None:
        """Take the call."""
        await self._quick("ANSWER")

    async def play(self, files: Sequence[str]) -> None:
        """Play files (absolute, without extension) to their end; keys do nothing.

        Raises AgiError with NO_SOUND when one of them is missing: it is skipped, and the rest was heard.
        """
        missing = False
        for playlist in wire.playlists(files, _ROOM):
            await self.execute("Playback", playlist, self._limits.playing_s)
            missing = missing or await self.get("PLAYBACKSTATUS") == "FAILED"
        if missing:
            raise AgiError(Fault.NO_SOUND, "Playback failed")

    async def read_keys(self, files: Sequence[str], most: int, wait_s: float) -> str:
        """Keys, at most `most`, pressed while the files play, which the first one ends, or after them.

        `wait_s`: after the last file for the first key, and after a key for the next. `#` ends the keys and
        is left out. "": none came. Asterisk skips a file that is missing.
        """
        if not 1 <= most <= MOST_KEYS:
            raise AgiError(Fault.UNSAFE, f"{most} keys")
        *first, last = wire.playlists(files, _ROOM)
        if first and most > 1:
            raise AgiError(Fault.UNSAFE, "a list too long to be broken off by the first of several keys")
        for playlist in first:
            if keys := await self._read(playlist, most, _BREATH_S):
                return keys
        return await self._read(last, most, wait_s)

    async def execute(self, application: str, arguments: str, wait_s: float) -> None:
        """Let an application of the dialplan run, which takes at most `wait_s` seconds.

        `arguments`: of ours, never of anybody else's making.
        """
        octets = wire.command(f"EXEC {application}", arguments)
        done = await self._peer.ask(octets, self._limits.answer_s + wait_s)
        if done.code == _NO_APPLICATION:
            raise AgiError(Fault.REFUSED, f"Asterisk has no application {application}")
        if done.code == _DEAD:
            raise HungUp

    async def get(self, variable: str) -> str:
        """A variable; "" when it is not set."""
        return (await self._quick("GET VARIABLE", wire.variable(variable))).value

    async def evaluate(self, function: str, *arguments: str) -> str:
        """What a function of the dialplan returns; "" when Asterisk does not know it."""
        return (await self._quick("GET VARIABLE", wire.function(function, *arguments))).value

    async def set(self, variable: str, value: str) -> None:
        """Give a variable a value."""
        await self._quick(f"SET VARIABLE {wire.variable(variable)}", wire.value(value))

    async def noop(self, said: str) -> None:
        """Do nothing; who listens reads `said`."""
        await self._quick("NOOP", wire.value(said))

    async def hangup(self) -> None:
        """End the call."""
        await self._quick("HANGUP")

    async def _read(self, playlist: str, most: int, wait_s: float) -> str:
        arguments = (
            f"{KEYS},{playlist},{most},,1,{wait_s:g}"  # app_read: variable, files, keys, options, tries, wait
        )
        await self.execute("Read", arguments, self._limits.playing_s + wait_s * most)
        keys = await self.get(KEYS)
        if keys:  # what was keyed may be a code
            await self.set(KEYS, "")
        return keys

    async def _quick(self, *words: str) -> wire.Result:
        octets = wire.command(*words) if len(words) > 1 else f"{words[0]}\n".encode("ascii")
        done = await self._peer.ask(octets, self._limits.answer_s)
        if done.code == _DEAD:
            raise HungUp
        return done
