"""The real processes in a state directory of their own, driven as an operator would: files, CLI, signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, create_engine, text

from config import settings as settings_module
from config.settings import Settings
from gateway.entry.valkey import place as valkey_place
from gateway.entry.valkey import program as valkey_program
from tests import databases, strict_sql
from tests.bench import processes

ROOT: Final = Path(__file__).parents[1]
UNDERCAP: Final = Path(sys.executable).with_name("undercap")
CLI_TIMEOUT_S: Final = 120.0
STOP_TIMEOUT_S: Final = 30.0
LOOK_AGAIN_S: Final = 0.05
VALKEY: Final = "valkey"


class HarnessError(Exception):
    """The gateway did not do what the test's set-up needs; the message holds the end of its log."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Campaign:
    """A running campaign with the codes that were generated for it, as printed."""

    id: str
    firm: str
    short_number: str
    points: int


def link_table(port: int, **changes: object) -> dict[str, object]:
    """The settings of a link to an SMSC on this machine."""
    link: dict[str, object] = {
        "name": "peer",
        "host": "127.0.0.1",
        "port": port,
        "system_id": "undercap",
        "password": "secret",
        "reconnect_max_s": 0.5,
    }
    return link | changes


@dataclass(slots=True, kw_only=True)
class Gateway:
    """One gateway. `links`: tables for `[[smpp.links]]`; `settings`: sections to write beside them.

    `clock_offset_s`: by how much the clock that decides over marketing is moved.
    """

    state: Path
    links: list[dict[str, object]]
    settings: dict[str, dict[str, object]] = field(default_factory=dict)
    clock_offset_s: int = 0
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _logs: dict[str, IO[bytes]] = field(default_factory=dict)
    _engine: Engine | None = None

    @property
    def config(self) -> Path:
        """The settings file that all processes read."""
        return self.state / "undercap.toml"

    def write_config(self) -> Settings:
        """Write the settings and read them back as the gateway would."""
        self.state.mkdir(parents=True, exist_ok=True)
        sections: dict[str, dict[str, object]] = {
            "http": {"port": 0},
            "log": {"format": "json"},
            **self.settings,
        }
        if (sql_url := databases.current.named(self.state)) is not None:
            sections["sql"] = {"url": sql_url} | sections.get("sql", {})
        lines = [f"state_dir = {json.dumps(str(self.state / 'var'))}"]
        lines += [f"clock_offset_s = {self.clock_offset_s}"] if self.clock_offset_s else []
        for name, table in sections.items():
            lines += ["", f"[{name}]", *_assignments(table)]
        for link in self.links:
            lines += ["", "[[smpp.links]]", *_assignments(link)]
        self.config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return settings_module.load(self.config)

    # Processes

    def start(self, role: str, *, prefix: tuple[str, ...] = (), options: tuple[str, ...] = ()) -> None:
        """Start `up`, or a process by itself, `valkey` too; `prefix` is put before its command."""
        argv = [*prefix, *(self._valkey() if role == VALKEY else (str(UNDERCAP), role)), *options]
        log = self._logs.get(role) or (self.state / f"{role}.log").open("ab")
        self._logs[role] = log
        self._running[role] = subprocess.Popen(
            argv,
            cwd=self.state,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def pid(self, role: str) -> int | None:
        """The process id of a role: started here, or a child of `up`; Valkey's by its own pid file."""
        if role == VALKEY:
            return self._valkey_pid()
        process = self._running.get(role)
        if process is not None:
            return process.pid if process.poll() is None else None
        up = self._running.get("up")
        if up is None or up.poll() is not None:
            return None
        return next((pid for pid, argv in processes.children(up.pid).items() if argv[-1:] == [role]), None)

    def ended(self, role: str) -> bool:
        """Whether what was last started for this role, a tracer too, has ended."""
        process = self._running.get(role)
        return process is None or process.poll() is not None

    def pids(self) -> dict[str, int]:
        """Every process that lives, by role."""
        found = {role: self.pid(role) for role in ("up", "smpp", "worker", "ivr", "blasts", "api", VALKEY)}
        return {role: pid for role, pid in found.items() if pid is not None}

    def kill(self, role: str) -> bool:
        """SIGKILL; False if there is no such process now."""
        pid = self.pid(role)
        if pid is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        started = self._running.pop(role, None)
        if started is not None:
            started.wait()
        return True

    async def restart(self, role: str) -> None:
        """SIGTERM to a child of `up`; its successor, which is waited for, knows every campaign."""
        before = self.pid(role)
        if before is not None:
            os.kill(before, signal.SIGTERM)
        await self.until(lambda: self.pid(role) not in (before, None), f"{role} was not started again")

    def kill_everything(self) -> None:
        """SIGKILL to the supervisor and all that it started, Valkey too."""
        pids = self.pids()
        for role in sorted(pids, key=lambda role: role != "up"):  # the supervisor first: it would restart
            with contextlib.suppress(ProcessLookupError):
                os.kill(pids[role], signal.SIGKILL)
        for process in self._running.values():
            process.kill()  # what its role's process id did not name, such as a tracer
            process.wait()
        self._running.clear()

    async def stop(self) -> dict[str, int]:
        """SIGTERM to everything, Valkey last; returns the exit codes. Raises HarnessError if one hangs."""
        codes: dict[str, int] = {}
        for role in sorted(self._running, key=lambda role: role == VALKEY):
            process = self._running[role]
            if process.poll() is None:
                process.terminate()
            codes[role] = await self._ended(role, process)
        self._running.clear()
        return codes

    async def _ended(self, role: str, process: subprocess.Popen[bytes]) -> int:
        await self.until(lambda: process.poll() is not None, f"{role} did not stop", STOP_TIMEOUT_S)
        return process.returncode

    def close(self) -> None:
        """End whatever is left, whatever happened before."""
        self.kill_everything()
        if self._engine is not None:
            self._engine.dispose()
        for log in self._logs.values():
            log.close()
        self._logs.clear()
        socket = (
            valkey_place.place(settings_module.load(self.config)).socket if self.config.exists() else None
        )
        if socket is not None and self.state not in socket.parents:
            shutil.rmtree(socket.parent, ignore_errors=True)

    # As an operator

    def cli(self, *arguments: str, said: str = "") -> str:
        """Standard output of `undercap …`, with `said` on its input. Raises HarnessError where it fails."""
        done = subprocess.run(
            [str(UNDERCAP), *arguments],
            cwd=self.state,
            env=self._environment(),
            input=said,
            capture_output=True,
            text=True,
            timeout=CLI_TIMEOUT_S,
            check=False,
        )
        if done.returncode != 0:
            said = done.stderr + done.stdout
            raise HarnessError(f"undercap {' '.join(arguments)}: {done.returncode}: {said}")
        return done.stdout

    def campaign(self, *, firm: str = "acme", short_number: str = "4040", points: int = 10) -> Campaign:
        """A firm with one running campaign; confirmations in English unless the shopper writes otherwise."""
        self.cli("firm", "add", firm, "--name", firm.capitalize())
        strict_sql.hold(settings_module.load(self.config).sql_url)
        told = self.cli(
            *("campaign", "add", "--firm", firm, "--name", "Summer", "--short-number", short_number),
            *("--points", str(points), "--language", "en"),
        )
        number = next(word for word in told.replace(":", " ").split() if word.strip(".#").isdigit())
        return Campaign(id=number.strip(".#"), firm=firm, short_number=short_number, points=points)

    def codes(self, campaign: Campaign, count: int, *, alphabet: str = "digits") -> Path:
        """Generate codes; returns the CSV file, the only place where they stand."""
        out = self.state / f"codes-{campaign.id}-{alphabet}-{time.monotonic_ns()}.csv"
        self.cli(
            *("codes", "generate", "--campaign", campaign.id, "--count", str(count)),
            *("--alphabet", alphabet, "--out", str(out)),
        )
        return out

    # What was stored

    def engine(self) -> Engine:
        """The SQL database."""
        if self._engine is None:
            self._engine = create_engine(settings_module.load(self.config).sql_url)
        return self._engine

    def sql(self, query: str, **values: object) -> list[Any]:
        """The rows of a query."""
        with self.engine().connect() as connection:
            return list(connection.execute(text(query), values).all())

    def redis(self) -> Redis:
        """A patient client of the gateway's Redis; answers bytes."""
        url = valkey_place.redis_url(settings_module.load(self.config))
        return Redis.from_url(url, socket_timeout=CLI_TIMEOUT_S)

    def answers(self) -> bool:
        """Whether Redis answers now."""
        with closing(self.redis()) as redis:
            try:
                return bool(redis.ping())
            except RedisError:
                return False

    def outboxes_empty(self) -> bool:
        """Whether every accepted text is settled."""
        with closing(self.redis()) as redis:
            return all(redis.xlen(key) == 0 for key in redis.scan_iter("*:outbox"))

    async def until(
        self, true: Callable[[], bool], complaint: str, timeout_s: float = 60.0, every_s: float = LOOK_AGAIN_S
    ) -> None:
        """Wait for a condition. Raises HarnessError with the ends of the logs."""
        deadline = time.monotonic() + timeout_s
        while not true():
            if time.monotonic() > deadline:
                raise HarnessError(f"{complaint}\n{self.log_tails()}")
            await asyncio.sleep(every_s)

    def log_tails(self, lines: int = 15) -> str:
        """The last lines of every log, for a failure's message."""
        parts = []
        for path in sorted(self.state.glob("*.log")):
            tail = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            parts.append("\n".join((f"--- {path.name}", *tail)))
        return "\n".join(parts)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("UNDERCAP_", "_UNDERCAP_"))}
        return kept | {"UNDERCAP_CONFIG": str(self.config)}

    def _valkey(self) -> tuple[str, ...]:
        where = valkey_place.place(settings_module.load(self.config))
        valkey_place.prepare(where, maxmemory="0")
        return (str(valkey_program.find().path), str(where.config))

    def _valkey_pid(self) -> int | None:
        where = valkey_place.place(settings_module.load(self.config))
        try:
            pid = int(where.pid.read_text())
            command = (processes.PROC / str(pid) / "cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if b"server" in command else None


def _assignments(table: Mapping[str, object]) -> list[str]:
    return [f"{name} = {_toml(value)}" for name, value in table.items()]


def _toml(value: object) -> str:
    """JSON's strings, numbers and booleans are TOML's, too."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(_assignments(value)) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)
