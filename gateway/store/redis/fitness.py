"""Is this Redis one that keeps what was acknowledged? Judged from INFO and CONFIG GET.

`judge` is pure; `assess` asks a server and judges. Facts that stand in INFO count even where the provider
forbids CONFIG; the rest is then somebody's written assurance.
Sources: valkey.conf and redis.conf (APPEND ONLY MODE, MEMORY MANAGEMENT, REPLICATION), the WAITAOF page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from redis.exceptions import AuthenticationError, AuthorizationError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from config.section import SettingsError
from config.settings import RedisSettings

OLDEST_REDIS = (7, 0)
WAITAOF_SINCE = (7, 2)
ASKED = (
    "appendonly",
    "appendfsync",
    "no-appendfsync-on-rewrite",
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
)


class RedisRefusedError(SettingsError):
    """This Redis would lose what was acknowledged; the message lists why, one a line."""


class AsksRedis(Protocol):
    """What is needed of an asyncio client of redis-py."""

    def info(self, section: str | None = None) -> Any:
        """INFO of one section, or of all, as a dict."""

    def config_get(self, pattern: str, *args: str) -> Any:
        """CONFIG GET as a dict of strings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Assessment:
    """What was found. `faults` forbid the use of the server; `warnings` are told and lived with."""

    server: str  # name and version, as an operator would say it
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def refuse_faults(self) -> None:
        """Raise RedisRefusedError if there is a fault."""
        if self.faults:
            raise RedisRefusedError("\n".join(f"redis: {fault}" for fault in self.faults))


async def assess(client: AsksRedis, settings: RedisSettings) -> Assessment:
    """Ask the server and judge it. Connection trouble is raised as redis-py raises it: it is not a fault."""
    try:
        info: Mapping[str, Any] = await client.info()
    except RedisConnectionError as err:
        if not turned_away(err):
            raise
        return Assessment(server="unknown", faults=("user or password are refused: mend them in redis.url",))
    except ResponseError as err:
        return Assessment(
            server="unknown", faults=(f"INFO is refused ({err}): allow INFO to this user (ACL +info)",)
        )
    config: Mapping[str, Any] | None = None
    if version_of(info) >= OLDEST_REDIS:  # CONFIG GET takes several names from 7.0 on only
        try:
            config = await client.config_get(*ASKED)
        except ResponseError:  # NOPERM by ACL, or "unknown command" where a provider took it away
            config = None
    return judge(info, config, settings)


def judge(info: Mapping[str, Any], config: Mapping[str, Any] | None, settings: RedisSettings) -> Assessment:
    """Pure: INFO (all sections) and CONFIG GET of `ASKED` (None: forbidden) into faults and warnings."""
    name = _server_name(info)
    if version_of(info) < OLDEST_REDIS:
        return Assessment(server=name, faults=(f"{name} is too old: Redis 7 or newer or Valkey is needed",))
    faults = [*_role_faults(info), *_eviction_faults(info, config)]
    warnings: list[str] = []
    if config is not None:
        faults += _append_file_faults(config, settings, version_of(info))
    elif info.get("aof_enabled") is not None and not int(info["aof_enabled"]):
        faults.append("the append-only file is off: CONFIG SET appendonly yes")
    elif settings.durability_assured_by:
        warnings.append(
            f"CONFIG is forbidden: durability is assured by {settings.durability_assured_by}, not checked"
        )
    else:
        faults.append(
            "CONFIG is forbidden, so durability cannot be checked: allow `CONFIG GET` (ACL +config|get), or "
            "name in redis.durability_assured_by who assures AOF with fsync always and no eviction"
        )
    warnings += _replica_warnings(info, config, settings)
    if info.get("aof_last_write_status", "ok") != "ok":
        warnings.append("the last write to the append-only file failed: look at its disk")
    return Assessment(server=name, faults=tuple(faults), warnings=tuple(warnings))


def turned_away(err: BaseException) -> bool:
    """Whether a server answered, but not to us. redis-py wraps its refusal while it connects."""
    cause: BaseException | None = err
    while cause is not None and not isinstance(cause, AuthenticationError | AuthorizationError):
        cause = cause.__cause__
    return cause is not None


def version_of(info: Mapping[str, Any]) -> tuple[int, ...]:
    """Redis-compatible version: Valkey of every release calls itself redis_version 7.2.4."""
    numbers = str(info.get("redis_version", "0")).split(".")
    return tuple(int(part) for part in numbers if part.isdigit())


def _server_name(info: Mapping[str, Any]) -> str:
    if "valkey_version" in info:
        return f"Valkey {info['valkey_version']}"
    return f"Redis {info.get('redis_version', 'of unknown version')}"


def _role_faults(info: Mapping[str, Any]) -> list[str]:
    if info.get("role") == "slave":
        return ["this server is a replica and takes no writes: give the URL of its primary"]
    return []


def _eviction_faults(info: Mapping[str, Any], config: Mapping[str, Any] | None) -> list[str]:
    limit = int((config or info).get("maxmemory", 0))
    policy = str(config["maxmemory-policy"] if config else info.get("maxmemory_policy", "noeviction"))
    if limit > 0 and policy != "noeviction":
        return [f"eviction is on (maxmemory-policy {policy}): CONFIG SET maxmemory-policy noeviction"]
    return []


def _append_file_faults(
    config: Mapping[str, Any], settings: RedisSettings, version: tuple[int, ...]
) -> list[str]:
    if config.get("appendonly") != "yes":
        return ["the append-only file is off: CONFIG SET appendonly yes"]
    fsync = str(config.get("appendfsync"))
    if settings.durability == "waitaof":
        return _waitaof_faults(fsync, version)
    if fsync != "always":
        way_out = ", or redis.durability = waitaof" if version >= WAITAOF_SINCE else ""
        return [f"appendfsync is {fsync}: CONFIG SET appendfsync always{way_out}"]
    if config.get("no-appendfsync-on-rewrite") == "yes":
        told = "no-appendfsync-on-rewrite is yes, which drops fsync while the file is rewritten"
        return [f"{told}: CONFIG SET no-appendfsync-on-rewrite no"]
    return []


def _waitaof_faults(fsync: str, version: tuple[int, ...]) -> list[str]:
    if version < WAITAOF_SINCE:
        return ["redis.durability is waitaof, which needs Redis 7.2 or newer: set it to always"]
    if fsync == "no":
        return ["appendfsync is no, so WAITAOF has nothing to wait for: CONFIG SET appendfsync everysec"]
    return []


def _replica_warnings(
    info: Mapping[str, Any], config: Mapping[str, Any] | None, settings: RedisSettings
) -> list[str]:
    replicas = int(info.get("connected_slaves", 0))
    # INFO shows min_slaves_good_slaves only where min-replicas-to-write is set.
    waits = int(config.get("min-replicas-to-write", 0)) > 0 if config else "min_slaves_good_slaves" in info
    asked_for = settings.waitaof_replicas if settings.durability == "waitaof" else 0
    if asked_for > replicas:
        told = f"redis.waitaof_replicas is {asked_for} but {replicas} replica(s) are connected"
        return [f"{told}: nothing will be acknowledged until more are"]
    if not replicas or waits or asked_for:
        return []
    told = f"{replicas} replica(s), none waited for: a failover may lose the last seconds"
    way_out = "redis.durability = waitaof with redis.waitaof_replicas = 1, or min-replicas-to-write 1"
    return [f"{told}; set {way_out}"]
