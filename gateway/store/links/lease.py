"""Who may hold a link's binds: one process at a time, by Redis' clock; a standby takes over when it dies."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import NamedTuple

from redis.asyncio import Redis

from gateway.store.redis import keys
from gateway.store.redis.functions import script


class Holder(NamedTuple):
    """A process. `machine`: where its pid means something; `token`: tells it from others with that pid."""

    machine: str
    pid: int
    token: str

    def __str__(self) -> str:
        """As it stands in Redis."""
        return f"{self.machine} {self.pid} {self.token}"

    @staticmethod
    def parse(text: str) -> Holder | None:
        """None for what is not a holder's name."""
        machine, _, rest = text.partition(" ")
        pid, _, token = rest.partition(" ")
        return Holder(machine, int(pid), token) if pid.isdecimal() and token else None


def this_process() -> Holder:
    """The process that runs this."""
    return Holder(_machine(), os.getpid(), os.urandom(6).hex())


def is_gone(holder: Holder, here: Holder) -> bool:
    """Whether `holder` certainly runs no more: it was on this machine, and its pid is nobody's."""
    if holder.machine != here.machine:
        return False
    if holder.pid == here.pid:
        return holder.token != here.token  # an earlier process had our pid
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


class Lease:
    """The right of one process to one link. `ttl_s`: how long it stands without being renewed."""

    def __init__(self, redis: Redis, link: str, me: Holder, ttl_s: float) -> None:
        self._redis = redis
        self._keys = [keys.lease(link), keys.lease_last(link)]
        self._me = me
        self._ttl_s = ttl_s
        self._take = redis.register_script(script("lease"))
        self._end = redis.register_script(script("lease_end"))
        self.valid_until = 0.0  # of time.monotonic(); afterwards somebody else may hold it
        self.term = 0  # grows whenever it became ours, and not when it was only renewed

    @property
    def valid(self) -> bool:
        """Nobody else can hold the link now."""
        return time.monotonic() < self.valid_until

    async def take(self) -> Holder | None:
        """Take or renew it; None when it is ours, else who holds it. Raises RedisError.

        What stands there from a process of this machine that is gone is taken over at once. A lease that ran
        out and was nobody's meanwhile is renewed; one that somebody else had meanwhile begins a new `term`.
        """
        holder = await self._ask(None)
        if holder is not None and is_gone(holder, self._me):
            holder = await self._ask(holder)
        return holder

    async def _ask(self, gone: Holder | None) -> Holder | None:
        asked = time.monotonic()  # before Redis' clock starts for us, so ours runs out first
        args: list[str | int] = [str(self._me), int(self._ttl_s * 1000), str(gone or "")]
        raw, unbroken = await self._take(keys=self._keys, args=args)
        stands = raw.decode() if isinstance(raw, bytes) else str(raw)
        if stands == str(self._me):
            self.term += not unbroken
            self.valid_until = asked + self._ttl_s
            return None
        self.valid_until = 0.0
        return Holder.parse(stands) or Holder("unknown", 0, stands)

    async def give_back(self) -> None:
        """End it, if it is ours still. Raises RedisError."""
        self.valid_until = 0.0
        await self._end(keys=self._keys[:1], args=[str(self._me)])


def _machine() -> str:
    """A name for where pids mean the same: this boot and this pid namespace."""
    boot, namespace = "", ""
    with contextlib.suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        namespace = os.readlink("/proc/self/ns/pid")
    return f"{os.uname().nodename}/{boot}/{namespace}".replace(" ", "_")
