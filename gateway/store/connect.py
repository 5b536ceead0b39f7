"""Redis clients, made from the settings in one place: answers are bytes, waits are bounded."""

from __future__ import annotations

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from config.settings import RedisSettings

_RETRIES = 1  # a connection that went stale is made anew once; every call of ours may be repeated


def sync_client(url: str, settings: RedisSettings) -> Redis:
    """For the worker and the commands. Nothing connects before the first call."""
    return Redis.from_url(
        url,
        socket_timeout=settings.timeout_s,
        socket_connect_timeout=settings.timeout_s,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.05), _RETRIES),
    )


def async_client(url: str, settings: RedisSettings, *, blocks_s: float = 0) -> AsyncRedis:
    """For the SMPP and API processes. `blocks_s`: the longest blocking read that it is used for."""
    return AsyncRedis.from_url(
        url,
        socket_timeout=settings.timeout_s + blocks_s,
        socket_connect_timeout=settings.timeout_s,
        retry=AsyncRetry(ExponentialBackoff(cap=0.2, base=0.05), _RETRIES),
    )
