"""What is demanded of a Redis, as a table of servers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from config.settings import RedisSettings
from gateway.store.redis.fitness import RedisRefusedError, judge

VALKEY = {"redis_version": "7.2.4", "valkey_version": "9.1.2", "role": "master", "connected_slaves": 0}
REDIS_70 = {"redis_version": "7.0.15", "role": "master", "connected_slaves": 0}
GOOD = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory": "0",
    "maxmemory-policy": "noeviction",
    "min-replicas-to-write": "0",
}
WAITAOF = {"durability": "waitaof"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A server, the settings, and a word of each fault and each warning."""

    label: str
    info: dict[str, Any] = field(default_factory=lambda: VALKEY)
    config: dict[str, str] | None = field(default_factory=lambda: GOOD)
    settings: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


CASES = (
    Case(label="as the embedded one"),
    Case(label="Redis 7.0", info=REDIS_70),
    Case(
        label="Redis 6",
        info={"redis_version": "6.2.14"},
        config=None,
        faults=("Redis 6.2.14 is too old: Redis 7 or newer or Valkey is needed",),
    ),
    Case(label="no version", info={}, config=None, faults=("too old",)),
    Case(label="AOF off", config=GOOD | {"appendonly": "no"}, faults=("CONFIG SET appendonly yes",)),
    Case(
        label="AOF unknown to it",
        config={"maxmemory": "0", "maxmemory-policy": "noeviction"},
        faults=("off",),
    ),
    Case(
        label="fsync every second",
        config=GOOD | {"appendfsync": "everysec"},
        faults=("appendfsync is everysec: CONFIG SET appendfsync always, or redis.durability = waitaof",),
    ),
    Case(
        label="fsync every second, before WAITAOF",
        info=REDIS_70,
        config=GOOD | {"appendfsync": "everysec"},
        faults=("appendfsync is everysec: CONFIG SET appendfsync always",),
    ),
    Case(label="no fsync", config=GOOD | {"appendfsync": "no"}, faults=("appendfsync is no",)),
    Case(
        label="no fsync while rewriting",
        config=GOOD | {"no-appendfsync-on-rewrite": "yes"},
        faults=("drops fsync while the file is rewritten",),
    ),
    Case(label="WAITAOF", config=GOOD | {"appendfsync": "everysec"}, settings=WAITAOF),
    Case(label="WAITAOF before 7.2", info=REDIS_70, settings=WAITAOF, faults=("needs Redis 7.2",)),
    Case(
        label="WAITAOF without fsync",
        config=GOOD | {"appendfsync": "no"},
        settings=WAITAOF,
        faults=("nothing to wait for",),
    ),
    Case(
        label="eviction on",
        config=GOOD | {"maxmemory": "1000000", "maxmemory-policy": "allkeys-lru"},
        faults=("CONFIG SET maxmemory-policy noeviction",),
    ),
    Case(
        label="eviction of what expires, too: waiting parts expire",
        config=GOOD | {"maxmemory": "1000000", "maxmemory-policy": "volatile-ttl"},
        faults=("eviction is on (maxmemory-policy volatile-ttl)",),
    ),
    Case(label="a policy without a limit", config=GOOD | {"maxmemory-policy": "allkeys-lru"}),
    Case(label="a limit without eviction", config=GOOD | {"maxmemory": "1000000"}),
    Case(
        label="two faults",
        config=GOOD | {"appendonly": "no", "maxmemory": "1", "maxmemory-policy": "allkeys-lru"},
        faults=("eviction is on", "append-only file is off"),
    ),
    Case(label="a replica", info=VALKEY | {"role": "slave"}, faults=("give the URL of its primary",)),
    Case(label="CONFIG forbidden", config=None, faults=("CONFIG is forbidden",)),
    Case(
        label="CONFIG forbidden, assured",
        config=None,
        settings={"durability_assured_by": "J. Doe, cloud team"},
        warnings=("durability is assured by J. Doe, cloud team, not checked",),
    ),
    Case(
        label="assured, but INFO tells otherwise",
        info=VALKEY | {"aof_enabled": 0, "maxmemory": 1000, "maxmemory_policy": "allkeys-lru"},
        config=None,
        settings={"durability_assured_by": "J. Doe"},
        faults=("eviction is on", "append-only file is off"),
    ),
    Case(
        label="replicas that nobody waits for",
        info=VALKEY | {"connected_slaves": 2},
        warnings=("2 replica(s), none waited for: a failover may lose the last seconds",),
    ),
    Case(
        label="min-replicas-to-write",
        info=VALKEY | {"connected_slaves": 2},
        config=GOOD | {"min-replicas-to-write": "1"},
    ),
    Case(
        label="min-replicas-to-write seen in INFO",
        info=VALKEY | {"connected_slaves": 2, "min_slaves_good_slaves": 2},
        config=None,
        settings={"durability_assured_by": "J. Doe"},
        warnings=("assured",),
    ),
    Case(
        label="WAITAOF 1 1",
        info=VALKEY | {"connected_slaves": 1},
        settings=WAITAOF | {"waitaof_replicas": 1},
    ),
    Case(
        label="WAITAOF 1 0 with a replica",
        info=VALKEY | {"connected_slaves": 1},
        settings=WAITAOF,
        warnings=("none waited for",),
    ),
    Case(
        label="WAITAOF 1 1 without a replica",
        settings=WAITAOF | {"waitaof_replicas": 1},
        warnings=("nothing will be acknowledged",),
    ),
    Case(
        label="disk trouble",
        info=VALKEY | {"aof_last_write_status": "err"},
        warnings=("look at its disk",),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_judgement(case: Case) -> None:
    found = judge(case.info, case.config, RedisSettings(**case.settings))
    assert len(found.faults) == len(case.faults), found.faults
    assert len(found.warnings) == len(case.warnings), found.warnings
    for words, told in zip((*case.faults, *case.warnings), (*found.faults, *found.warnings), strict=True):
        assert words in told


def test_faults_are_refused_all_at_once() -> None:
    found = judge(
        VALKEY, GOOD | {"appendonly": "no", "maxmemory": "1", "maxmemory-policy": "x"}, RedisSettings()
    )
    with pytest.raises(RedisRefusedError) as refused:
        found.refuse_faults()
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == ["redis", "redis"]
    judge(VALKEY, GOOD, RedisSettings()).refuse_faults()
