"""Redis clients, made from the settings in one place: answers are bytes, waits are bounded."""

from __future__ import annotations

from typing import Any

import hiredis
from redis import Redis
from redis.asyncio import Connection, ConnectionPool, SSLConnection, UnixDomainSocketConnection
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config.settings import RedisSettings

_RETRIES = 1  # a connection that went stale is made anew once; every call of ours may be repeated
_MOST_CONNECTIONS = 200


def _packed(*args: Any) -> list[bytes]:
    """A command as RESP bytes. The first argument may be two words, such as SCRIPT LOAD."""
    name, *rest = args
    return [hiredis.pack_command((*name.split(), *rest))]


class _Pool(ConnectionPool):
    """`broken`: how many connections have ended; behind the next one another server may stand."""

    broken = 0

    def make_connection(self) -> Any:
        """A connection that tells when it ends."""
        made = super().make_connection()  # type: ignore[no-untyped-call]
        if isinstance(made, _PackedInC):
            made.pool = self
        return made


class _PackedInC:
    """redis-py's asyncio connections pack commands in Python; in C a batch costs a third."""

    pool: _Pool | None = None

    async def disconnect(self, *args: Any, **kwargs: Any) -> None:
        if self.pool is not None and self.is_connected:  # type: ignore[attr-defined]
            self.pool.broken += 1
        await super().disconnect(*args, **kwargs)  # type: ignore[misc]

    def pack_command(self, *args: Any) -> list[bytes]:
        return _packed(*args)


class _Packer:
    """The same for the synchronous client, which looks at each argument before it packs in C."""

    def pack(self, *args: Any) -> list[bytes]:
        return _packed(*args)


class _Tcp(_PackedInC, Connection):
    pass


class _Tls(_PackedInC, SSLConnection):
    pass


class _Unix(_PackedInC, UnixDomainSocketConnection):
    pass


_IN_C: dict[type[Any], type[Any]] = {
    Connection: _Tcp,
    SSLConnection: _Tls,
    UnixDomainSocketConnection: _Unix,
}


def sync_client(url: str, settings: RedisSettings) -> Redis:
    """For the worker and the commands. Nothing connects before the first call."""
    return Redis.from_url(
        url,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), _RETRIES),
        command_packer=_Packer(),
    )


def async_client(url: str, settings: RedisSettings, *, blocks_s: float = 0) -> AsyncRedis:
    """For the SMPP and API processes. `blocks_s`: the longest blocking read that it is used for."""
    pool = _Pool.from_url(  # one that waits for a free connection costs half as much again a call
        url,
        max_connections=_MOST_CONNECTIONS,
        socket_timeout=settings.timeout_s + blocks_s,
        socket_connect_timeout=settings.timeout_s,
        retry=AsyncRetry(ExponentialBackoff(cap=0.2, base=0.05), _RETRIES),
    )
    pool.connection_class = _IN_C.get(pool.connection_class, pool.connection_class)
    return AsyncRedis.from_pool(pool)
