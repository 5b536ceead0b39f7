"""The search for numbers and codes finds every form where it was planted, before its silence counts."""

from __future__ import annotations

import json
import pickle
import shutil
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import Engine, create_engine, text

from gateway.entry.valkey import program as valkey_program
from tests.acceptance.secret_forms import Search, Secret, forms
from tests.acceptance.secret_places import files, pickled, redis_places, sql_places

NUMBER = Secret(name="number", text="380671234567", is_number=True)
DIGITS = Secret(name="code of digits", text="8421907563318")
LETTERS = Secret(name="code of letters", text="K7WNPQ4R")
FORMS = [(secret, form, needle) for secret in (NUMBER, DIGITS, LETTERS) for form, needle in forms(secret)]


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Valkey of its own, behind a socket."""
    folder = tmp_path_factory.mktemp("v")
    socket = folder / "s"
    program = str(valkey_program.find().path)
    argv = [program, "--port", "0", "--unixsocket", str(socket), "--dir", str(folder)]
    server = subprocess.Popen(
        [*argv, "--slowlog-log-slower-than", "0", "--slowlog-max-len", "100"], stdout=subprocess.DEVNULL
    )
    client = Redis(unix_socket_path=str(socket), retry_on_error=[ConnectionError, FileNotFoundError])
    _await_server(client)
    yield client
    client.close()
    server.terminate()
    server.wait()
    shutil.rmtree(folder)


def _await_server(client: Redis) -> None:
    from redis.backoff import ConstantBackoff
    from redis.exceptions import ConnectionError as RedisConnectionError
    from redis.retry import Retry

    Retry(ConstantBackoff(0.05), 200, (RedisConnectionError,)).call_with_retry(client.ping, lambda _: None)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return create_engine(f"sqlite:///{tmp_path / 'planted.db'}")


@pytest.mark.parametrize(("secret", "form", "needle"), FORMS, ids=[f"{s.name}: {f}" for s, f, _ in FORMS])
def test_a_form_planted_in_a_file_is_found(tmp_path: Path, secret: Secret, form: str, needle: bytes) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "log").write_bytes(b"x" * 1021 + needle + b"\n")
    hits = Search([secret]).find_all(files(tmp_path))
    assert form in {hit.form for hit in hits}


PLANTS = {
    "key": lambda r, v: r.set(b"a:" + v, 1),
    "string": lambda r, v: r.set("k", v),
    "hash field": lambda r, v: r.hset("k", v, 1),
    "hash value": lambda r, v: r.hset("k", "f", v),
    "list": lambda r, v: r.rpush("k", v),
    "set": lambda r, v: r.sadd("k", v),
    "set of integers": lambda r, v: r.sadd("k", 1, v),
    "sorted set": lambda r, v: r.zadd("k", {v: 1}),
    "score": lambda r, v: r.zadd("k", {"m": int(v)}),
    "stream field": lambda r, v: r.xadd("k", {v: 1}),
    "stream value": lambda r, v: r.xadd("k", {"f": v}),
    "consumer group": lambda r, v: r.xgroup_create("k", v, mkstream=True),
    "RQ job": lambda r, v: r.hset("rq:job:1", "data", zlib.compress(json.dumps([v.decode()]).encode())),
    "slow log": lambda r, v: r.get(v),
}


@pytest.mark.parametrize("plant", PLANTS, ids=str)
def test_a_number_planted_in_redis_is_found(redis: Redis, plant: str) -> None:
    redis.flushall()
    redis.slowlog_reset()
    assert Search([NUMBER]).find_all(redis_places(redis)) == []
    PLANTS[plant](redis, NUMBER.text.encode())
    if plant != "slow log":
        redis.slowlog_reset()
    hits = Search([NUMBER]).find_all(redis_places(redis))
    assert "text without +" in {hit.form for hit in hits}


@pytest.mark.parametrize(
    ("kind", "value"),
    [("TEXT", NUMBER.text), ("INTEGER", int(NUMBER.text)), ("BLOB", b"\1" + NUMBER.text.encode())],
)
def test_a_number_planted_in_sql_is_found(engine: Engine, kind: str, value: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE t (a INTEGER, b {kind})"))
        connection.execute(text("INSERT INTO t VALUES (1, :value)"), {"value": value})
    hits = Search([NUMBER]).find_all(sql_places(engine))
    assert ("SQL t.b", "text without +") in {(hit.place, hit.form) for hit in hits}


def test_valkey_packs_digits_but_its_file_is_searched_for_packed_integers(redis: Redis) -> None:
    redis.flushall()
    redis.hset("k", "f", NUMBER.text)
    redis.save()
    folder = Path(str(redis.config_get("dir")["dir"]))
    redis.config_set("rdbcompression", "no")
    redis.save()
    forms_found = {hit.form for hit in Search([NUMBER]).find_all(files(folder))}
    assert forms_found == {"packed integer, little endian"}


@pytest.mark.parametrize("squeeze", [bytes, zlib.compress], ids=["plain", "compressed"])
def test_something_pickled_is_noticed(redis: Redis, squeeze: Any) -> None:
    redis.flushall()
    redis.set("harmless", b"\x80.")
    redis.hset("rq:job:2", "data", squeeze(pickle.dumps({"f": 1})))
    assert pickled(redis) == ["rq:job:2"]
