"""Plays what a script says on a channel, hears keys, and bridges what takes a while with words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

from ivr.agi.channel import Channel
from ivr.agi.faults import AgiError, HungUp
from ivr.talk.sounds import Sounds
from ivr.talk.steps import Ask, Keyed, TimeUp

QUIET_S: Final = 0.4  # so long a service may take without a word
_FAREWELL_S: Final = 15.0  # before the end of a call's time, for a goodbye
_BREATH_S: Final = 0.05  # after what is played without a question

R = TypeVar("R")


class Player:
    """Of one call. Each method raises HungUp and AgiError."""

    def __init__(self, channel: Channel, sounds_dir: str, *, key_wait_s: float, most_call_s: float) -> None:
        """`sounds_dir`: absolute, as Asterisk sees it. Times in seconds."""
        self._channel = channel
        self._sounds_dir = sounds_dir
        self._key_wait_s = key_wait_s
        self._until = time.monotonic() + most_call_s - min(_FAREWELL_S, most_call_s / 2)

    async def ask(self, ask: Ask) -> Keyed | TimeUp:
        """Play and hear keys."""
        wait_s = self._key_wait_s if ask.waits else _BREATH_S
        keys = await self._channel.read_keys(self._files(ask.sounds), ask.most, wait_s)
        return TimeUp(keys) if time.monotonic() >= self._until else Keyed(keys)

    async def play(self, sounds: Sounds) -> None:
        """Play to the end; keys do nothing."""
        await self._channel.play(self._files(sounds))

    async def bridge(self, service: Coroutine[Any, Any, R], moment: Sounds, *, quiet_s: float | None) -> R:
        """What a service comes to; `moment` is played while it takes longer than `quiet_s`, None: never.

        What was asked for is done all the same where the call ends meanwhile.
        """
        work = asyncio.ensure_future(service)
        try:
            await asyncio.wait({work}, timeout=quiet_s)
            while not work.done():
                await self.play(moment)
            return work.result()
        except (HungUp, AgiError, asyncio.CancelledError):
            await asyncio.wait({work})
            raise
        finally:
            work.cancel()

    def _files(self, sounds: Sounds) -> list[str]:
        return [f"{self._sounds_dir}/{sound}" for sound in sounds]
