"""`undercap vault` as typed: keys, erasure, and the report of who opened what."""

from __future__ import annotations

import csv
import os
import pty
import pwd
import re
import socket
import subprocess
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from rq.serializers import JSONSerializer

from gateway.entry.process import rq_worker
from gateway.queues.nudge import queue
from gateway.store.vault import sealing_keys
from gateway.usecases.vault import rotate
from tests.integration.conftest import Undercap
from tests.integration.gateway.usecases.vault.vault_scene import keys_file, lay_aside, older, process
from tests.integration.house import ANNA, BOHDAN, House

ROOT = Path(__file__).parents[5]
ME = pwd.getpwuid(os.getuid()).pw_name


@pytest.fixture(autouse=True)
def _as_myself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)


@pytest.fixture
async def anna(house: House) -> House:
    """A house that has answered one text of Anna's."""
    house.firm()
    (code,) = house.codes(house.campaign(), 1)
    await house.text(code)
    house.drain()
    return house


def test_keys_from_rotation_to_retirement(anna: House, undercap: Undercap) -> None:
    assert "generation 1 seals from" in undercap("vault", "rotate").output
    older(anna, 3600)
    assert "2 sealed anew" in undercap("vault", "reseal").output
    assert "generation 2 seals from" in undercap("vault", "rotate", "--in", "600").output
    rows = {row[0]: row for row in cells(undercap("vault", "status").output)}
    assert [rows[g][2] for g in ("0", "1", "2")] == ["opens", "seals", "begins soon"]
    assert rows["1"][3:5] == ["1", "1"]
    older(anna, 3600)
    told = undercap("vault", "retire", "1", "--yes", fails=1).output
    assert "are sealed under generation 1" in told
    undercap("vault", "reseal")
    anna.redis.delete("{f1}:send:peer")
    assert undercap("vault", "retire", "1", "--yes").output == "retired\n"
    assert "retired 20" in undercap("vault", "status").output
    assert [key.generation for key in sealing_keys.read(keys_file(anna))] == [2]
    ((number,),) = anna.rows("shopper", "number")
    assert process(anna).open("shopper", number).decode() == ANNA


def cells(table: str) -> list[list[str]]:
    """The rows of a printed table."""
    return [re.split(r"  +", line.strip()) for line in table.splitlines()[2:] if line.strip()]


def test_no_secret_is_ever_shown(anna: House, undercap: Undercap) -> None:
    told = undercap("vault", "rotate").output + undercap("vault", "status").output
    (key,) = sealing_keys.read(keys_file(anna))
    assert key.secret.hex() not in told


def test_a_process_without_the_keys_says_what_to_do(anna: House, undercap: Undercap) -> None:
    undercap("vault", "rotate")
    keys_file(anna).unlink()
    done = undercap("vault", "status", fails=1)
    assert "put it back from your backup" in str(done.exception)


async def test_erased_by_a_script(anna: House, undercap: Undercap) -> None:
    told = undercap("vault", "erase", "--yes", said=f"+{ANNA[:3]} {ANNA[3:]}\n").output

    assert "shopper 1, 1 activations, 10 points" in told
    assert "erased; emptied: 1 answers" in told
    assert ANNA not in told.replace(" ", "")
    assert anna.rows("shopper", "number") == [(b"",)]
    assert "nothing was known" in undercap("vault", "erase", "--yes", said=f"{ANNA}\n").output
    assert anna.rows("person_access", "who", "purpose", "shopper_id") == [
        (ME, "look-up", 1),
        (ME, "erasure", 1),
        (ME, "look-up", None),
        (ME, "erasure", None),
    ]


async def test_what_waits_is_settled_under_the_settings_of_aliases(
    anna: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERCAP_ALIASES__GRACE_D", "1")
    await anna.text("alias", BOHDAN)
    await anna.text("new alias", BOHDAN)
    await anna.text("balance")
    undercap("vault", "erase", "--yes", said=f"{ANNA}\n")

    (old, new) = anna.rows("alias", "created_at", "ends_at")
    assert old[1] - new[0] == 86_400_000


REFUSED = [
    pytest.param(["--yes"], "hello\n", 1, "the number has other signs than digits", id="no number"),
    pytest.param(["--yes"], "", 1, "the number is missing", id="nothing"),
    pytest.param([], f"{ANNA}\n", 1, "say --yes", id="nobody to be asked"),
    pytest.param([ANNA], "", 2, "unexpected extra argument", id="the number as an argument"),
]


@pytest.mark.parametrize(("words", "said", "fails", "told"), REFUSED)
def test_what_erases_nobody(
    anna: House, undercap: Undercap, words: list[str], said: str, fails: int, told: str
) -> None:
    done = undercap("vault", "erase", *words, fails=fails, said=said)
    assert told in done.output
    assert anna.rows("shopper", "erased_at") == [(None,)]


def test_at_a_terminal_the_number_is_not_shown_and_no_means_no(anna: House, undercap: Undercap) -> None:
    del undercap  # it has set the environment
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "gateway.entry.cli", "vault", "erase"]
    env = os.environ | {"PYTHONPATH": os.fspath(ROOT)}
    with subprocess.Popen(
        argv, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
    ) as typed:
        os.close(theirs)
        seen = heard(ours, b"Phone number")
        os.write(ours, f"{ANNA}\n".encode())
        seen += heard(ours, b"Erase? [y/N]")
        os.write(ours, b"n\n")
        seen += heard(ours, None)
    os.close(ours)

    assert typed.returncode == 1
    assert "goes:   the number and its index" in seen.decode()
    assert ANNA.encode() not in seen
    assert anna.rows("shopper", "erased_at") == [(None,)]
    assert anna.rows("person_access", "purpose") == [("look-up",)]


def heard(terminal: int, until: bytes | None) -> bytes:
    """What is shown up to these words; None: to the end."""
    seen = b""
    with suppress(OSError):  # the other end is closed
        while (until is None or until not in seen) and (some := os.read(terminal, 4096)):
            seen += some
    return seen


async def test_texts_that_nobody_settles_are_told(
    anna: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.entry.commands.vault.vault_erase.WAIT_S", 0.2)
    await anna.text("balance")
    anna.redis.set("{f1}:drain", "a worker that stands still")

    done = undercap("vault", "erase", "--yes", fails=1, said=f"{ANNA}\n")

    assert "is the worker running?" in done.output
    assert anna.rows("shopper", "erased_at") == [(None,)]


async def test_redis_that_goes_in_the_middle_is_told_and_it_is_completed_later(
    anna: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise RedisConnectionError

    with monkeypatch.context() as patched:
        patched.setattr("gateway.store.people.redis_footprint.Traces.forget", away)
        done = undercap("vault", "erase", "--yes", fails=1, said=f"{ANNA}\n")
    assert "not complete (ConnectionError): run it again" in done.output

    undercap("vault", "erase", "--yes", said=f"{ANNA}\n")
    assert anna.rows("erasure", "key") == [(None,)]
    assert anna.names("*:limits:*") == []


def test_the_report_tells_counts_and_each_access(anna: House, undercap: Undercap) -> None:
    rotate.rotate(anna.engine, keys_file(anna))
    older(anna, 3600)
    undercap("vault", "reseal")
    undercap("vault", "erase", "--yes", said=f"{ANNA}\n")

    told = undercap("vault", "report", "--csv").output
    rows = list(csv.DictReader(StringIO(told)))
    assert [(r["kind"], r["who"], r["purpose"], r["opened"], r["shopper"]) for r in rows] == [
        ("count", "vault reseal", "answer", "1", ""),
        ("count", "vault reseal", "shopper", "1", ""),
        ("access", ME, "erasure", "1", "1"),
        ("access", ME, "look-up", "1", "1"),
    ]
    assert ANNA not in told
    shown = undercap("vault", "report").output
    assert all(word in shown for word in ("vault reseal", "erasure", ME))
    only = undercap("vault", "report", "--csv", "--purpose", "erasure").output.splitlines()
    assert [line.split(",")[4] for line in only[1:]] == ["erasure"]
    assert len(undercap("vault", "report", "--csv", "--until", "2020-01-01").output.splitlines()) == 1
    assert len(undercap("vault", "report", "--csv", "--since", "2020-01-01").output.splitlines()) == 5
    assert "is not a date" in undercap("vault", "report", "--since", "soon", fails=2).output


async def test_what_a_command_opens_on_the_way_is_counted(anna: House, undercap: Undercap) -> None:
    """A dead letter that waits again is settled by `rebuild`, which opens its number."""
    await anna.text("balance")
    lay_aside(anna)
    undercap("dead", "replay")
    undercap("rebuild")

    assert ("rebuild", "reply", 1) in anna.rows("vault_access", "process", "purpose", "opened")


def test_an_erasure_that_is_not_complete_is_told(
    anna: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("gateway.store.people.erasures.end", dies)
        undercap("vault", "erase", "--yes", fails=1, said=f"{ANNA}\n")

    assert "1 erasures are not complete" in undercap("vault", "status", fails=1).output
    undercap("vault", "erase", "--yes", said=f"{ANNA}\n")
    undercap("vault", "status")
    assert anna.rows("erasure", "key") == [(None,)]


def dies(*_: object) -> None:
    raise RuntimeError


def test_no_generation_begins_before_other_machines_can_know_it(
    house: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rq_worker, "other_machines", lambda _redis: {"second"})
    told = undercap("vault", "rotate", fails=1).output
    assert "workers run on other machines (second): take --in 600 or more and copy" in told
    assert house.rows("sealing_generation", "generation") == []
    undercap("vault", "rotate", "--in", "600")


def test_a_worker_elsewhere_is_known_by_its_machine(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = rq_worker.Worker([queue(house.redis)], connection=house.redis, serializer=JSONSerializer)
    worker.register_birth()  # type: ignore[no-untyped-call]
    assert rq_worker.other_machines(house.redis) == set()
    monkeypatch.setattr(socket, "gethostname", lambda: "another")
    assert rq_worker.other_machines(house.redis) == {worker.hostname}
    worker.register_death()  # type: ignore[no-untyped-call]
