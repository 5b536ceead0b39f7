"""Redis calls that return only when their effect is on disk.

With `appendfsync always` the server itself answers after the fsync. Otherwise (setting `redis.durability =
"waitaof"`, Redis 7.2 or Valkey) WAITAOF follows on the same connection and must report the local fsync, and
that of as many replicas as `redis.waitaof_replicas` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

Command = Sequence[Any]


class NotOnDisk(RedisError):
    """The fsync was not confirmed in time."""


class DurableRedis:
    """Sends commands in one round trip and waits for the disk."""

    def __init__(
        self, redis: Redis, *, waitaof: bool = False, replicas: int = 0, timeout_s: float = 5.0
    ) -> None:
        self.redis = redis
        self._waitaof = waitaof
        self._replicas = replicas
        self._timeout_ms = int(timeout_s * 1000)

    @property
    def broken(self) -> int:
        """How many connections have ended so far; behind the next one another server may stand."""
        return getattr(self.redis.connection_pool, "broken", 0)

    async def call(self, *command: Any) -> Any:
        """One command; its answer. Raises RedisError."""
        if not self._waitaof:
            return await self.redis.execute_command(*command)  # type: ignore[no-untyped-call]
        return (await self.calls([command]))[0]

    async def calls(self, commands: Sequence[Command]) -> list[Any]:
        """Several commands in one round trip; their answers. Raises the first RedisError."""
        if len(commands) == 1 and not self._waitaof:
            return [await self.call(*commands[0])]
        pipe = self.redis.pipeline(transaction=False)
        for command in commands:
            pipe.execute_command(*command)
        if self._waitaof:
            pipe.execute_command("WAITAOF", 1, self._replicas, self._timeout_ms)
        answers: list[Any] = await pipe.execute()
        if self._waitaof:
            local, replicas = answers.pop()
            if local < 1 or replicas < self._replicas:
                raise NotOnDisk(f"WAITAOF: {local} local, {replicas} replicas")
        return answers
