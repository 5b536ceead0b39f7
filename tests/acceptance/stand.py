"""A running gateway between real SMSCs and shoppers who text: the stage of the acceptance tests."""

from __future__ import annotations

import csv
import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from prometheus_client.parser import text_string_to_metric_families as parse_metrics

from config import settings as settings_module
from gateway.store import keys, master_secret
from gateway.store.metrics import METRICS, exposition
from gateway.store.vault import Vault
from tests.harness import Gateway, link_table
from tests.peers.smsc import Delivery, Program, SmscPeer, Submitted

HELD_MS: Final = 60_000
UCS2: Final = 8
LONG: Final = 0x40  # esm_class: the body begins with a header
# In ASCII, but another character (or none) in the default alphabet of SMSCs.
_NOT_PLAIN: Final = frozenset("@$_[]{}^~\\|`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shopper:
    """Somebody with a phone. The number stays out of what a failing test prints."""

    number: str = field(repr=False)
    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A code as printed, with its serial."""

    printed: str = field(repr=False)
    serial: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A row of `message`."""

    outcomes: str
    state: str
    link: str
    short_number: str
    segments: int
    attempts: int
    error: str | None
    emptied: bool  # nothing of what it said is kept


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """All that SQL holds of one shopper, each list in the order of its rows.

    `activations`: campaign, serial, points, channel. `entries`: kind, state, points. `consent`: channel,
    state, how. `aliases`: counters.
    """

    activations: list[tuple[int, int, int, str]]
    entries: list[tuple[str, str, int]]
    balance: int
    consent: list[tuple[str, str, str]]
    aliases: list[int]
    wrong: int
    replies: list[Reply]


@dataclass(slots=True, kw_only=True)
class Stand:
    """The gateway, and the SMSC of each of its links by the link's name."""

    gateway: Gateway
    smscs: Mapping[str, SmscPeer]
    vault: Vault
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def shopper(self, name: str = "somebody") -> Shopper:
        """Somebody who has never texted before."""
        return Shopper(number=f"38067{next(self._numbers):07}", name=name)

    async def text(self, link: str, shopper: Shopper, text: str, *, to: str = "4040") -> int | None:
        """Text as a phone would send it; returns the SMSC's view: the status, None for a cut connection."""
        body, coding = encoded(text)
        return await self.smscs[link].deliver(
            Delivery(source=shopper.number, destination=to, body=body, data_coding=coding)
        )

    async def answers(self, link: str, shopper: Shopper, count: int = 1) -> list[str]:
        """The answers to a shopper as the phone shows them, once so many have their outcome in SQL."""
        smsc = self.smscs[link]

        def settled() -> bool:
            ended = [reply for reply in self.stored(shopper).replies if reply.emptied]
            # What the SMSC has written of them to its journal is read by us a little later.
            told = len(smsc.sent_to(shopper.number)) >= sum(reply.segments for reply in ended)
            return len(ended) >= count and told

        complaint = f"no answer number {count} to {shopper} has an outcome"
        await self.gateway.until(settled, complaint, timeout_s=30, every_s=0.01)
        return shown(smsc.sent_to(shopper.number))

    async def exchange(self, link: str, shopper: Shopper, text: str, *, to: str = "4040") -> str:
        """Text and give back the answer; the text must be acknowledged, and answered once."""
        before = len(shown(self.smscs[link].sent_to(shopper.number)))
        assert await self.text(link, shopper, text, to=to) == 0
        answers = await self.answers(link, shopper, before + 1)
        assert before + 1 == len(answers)
        return answers[-1]

    async def all_quiet(self, link: str, *, to: str = "4040") -> None:
        """Until whatever was due for texts before this moment has left: a text sent now is answered."""
        assert await self.exchange(link, self.shopper("who checks the line"), "BALANCE", to=to)

    def stored(self, shopper: Shopper) -> Stored:
        """What SQL holds of a shopper now."""
        key = self.vault.index(shopper.number)
        own = "shopper_id = (SELECT id FROM shopper WHERE key = :key)"

        def rows(columns: str, table: str) -> list[Any]:
            order = "queued_at" if table == "message" else "rowid"
            query = f"SELECT {columns} FROM {table} WHERE {own} ORDER BY {order}"  # noqa: S608 - names of ours
            return self.gateway.sql(query, key=key)

        wrong = self.gateway.sql("SELECT sum(count) FROM wrong_code WHERE shopper_key = :key", key=key)
        replies = rows(
            "outcomes, state, link, short_number, segments, attempts, error, sealed IS NULL", "message"
        )
        names = Reply.__dataclass_fields__
        return Stored(
            activations=[tuple(r) for r in rows("campaign_id, serial, points, channel", "activation")],
            entries=[tuple(r) for r in rows("kind, state, points", "ledger_entry")],
            balance=sum(r[0] for r in rows("points", "balance")),
            consent=[tuple(r) for r in rows("channel, state, how", "consent_entry")],
            aliases=[r[0] for r in rows("id", "alias")],
            wrong=wrong[0][0] or 0,
            replies=[Reply(**dict(zip(names, row, strict=True))) for row in replies],
        )

    @contextmanager
    def frozen(self, role: str) -> Iterator[None]:
        """A process that stands still, and goes on afterwards."""
        pid = self.gateway.pid(role)
        assert pid is not None, f"no {role}"
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @contextmanager
    def writes_held(self) -> Iterator[Any]:
        """Valkey answers what only reads; whatever writes waits until the end. Gives a client."""
        with closing(self.gateway.redis()) as redis:
            api: Any = redis
            api.client_pause(HELD_MS, all=False)
            try:
                yield api
            finally:
                api.client_unpause()

    def counted(self, measure: str, **labels: str) -> float:
        """A counter of the metrics page, over all processes; 0 if it never counted."""
        directory = settings_module.load(self.gateway.config).state_dir / METRICS
        page = exposition(directory, []).decode()
        samples = (sample for family in parse_metrics(page) for sample in family.samples)
        return sum(s.value for s in samples if s.name == measure and labels.items() <= s.labels.items())

    def consent_word(self, shopper: Shopper, firm: int = 1) -> str:
        """What Redis says of a shopper's consent now: out, in, or nothing."""
        with closing(self.gateway.redis()) as redis:
            value: Any = redis.get(keys.consent(firm, self.vault.index(shopper.number)))
        return bytes(value or b"").partition(b":")[0].decode()


@asynccontextmanager
async def standing(
    state: Path,
    programs: Mapping[str, Program],
    *,
    settings: Mapping[str, dict[str, object]] | None = None,
    link: Mapping[str, object] | None = None,
) -> AsyncIterator[Stand]:
    """`undercap up` with a link to each of the SMSCs; `link`: settings of every link."""
    async with AsyncExitStack() as stack:
        smscs: dict[str, SmscPeer] = {}
        for name, program in programs.items():
            smscs[name] = SmscPeer(program)
            await smscs[name].start()
            stack.push_async_callback(smscs[name].stop)
        links = [link_table(smsc.port, name=name, **(link or {})) for name, smsc in smscs.items()]
        gateway = stack.enter_context(
            closing(Gateway(state=state, links=links, settings=dict(settings or {})))
        )
        gateway.write_config()
        gateway.start("up")
        for smsc in smscs.values():
            await smsc.wait_bound()
        vault = Vault(master_secret.load_or_make(settings_module.load(gateway.config)))
        yield Stand(gateway=gateway, smscs=smscs, vault=vault)


def read_codes(file: Path, count: int) -> list[Code]:
    """So many codes of a series as it was written for the printer, from all over it."""
    lines = file.read_text(encoding="ascii").splitlines()[1:]
    rows = csv.reader(lines[:: max(1, len(lines) // count)][:count])
    return [Code(printed=code, serial=int(serial)) for serial, code in rows]


def encoded(text: str) -> tuple[bytes, int]:
    """A text as a phone's SMSC passes it on: octets and data_coding."""
    if text.isascii() and not _NOT_PLAIN & set(text):
        return text.encode("ascii"), 0
    return text.encode("utf-16-be"), UCS2


def ends_in(minutes: int, *, day: str) -> set[str]:
    """How an answer may tell the end of a limit that began within the last minute, in Kyiv.

    `day`: how the day is told, should it be another one. Never a minute that is too early: it is rounded up.
    """
    now = datetime.now(ZoneInfo("Europe/Kyiv"))
    latest = now + timedelta(minutes=minutes, seconds=59)
    ends = (latest, latest - timedelta(minutes=1))
    return {end.strftime("%H:%M" if end.date() == now.date() else f"{day} %H:%M") for end in ends}


def shown(submits: Sequence[Submitted]) -> list[str]:
    """Submits to one phone as the texts that it shows; each must be in the encoding that fits it.

    smpp34 tells of submits that came in one read in any order, so parts are put together by their reference.
    """
    texts: dict[object, list[Submitted]] = {}
    for number, submit in enumerate(submits):
        texts.setdefault(("long", submit.body[3]) if submit.esm_class == LONG else number, []).append(submit)
    return [
        joined(parts) if parts[0].esm_class == LONG else _decoded(parts[0].body, parts[0].data_coding)
        for parts in texts.values()
    ]


def joined(parts: Sequence[Submitted]) -> str:
    """The text of one long answer from its parts, in the order of their headers (UDH, IE 0x00)."""
    heads = {tuple(part.body[:5]) for part in parts}
    reference = parts[0].body[3]
    assert heads == {(5, 0, 3, reference, len(parts))}
    assert {part.esm_class for part in parts} == {LONG}
    assert {part.body[5] for part in parts} == set(range(1, len(parts) + 1))
    (coding,) = {part.data_coding for part in parts}
    return _decoded(b"".join(part.body[6:] for part in sorted(parts, key=lambda p: p.body[5])), coding)


def _decoded(body: bytes, coding: int) -> str:
    text = body.decode("utf-16-be" if coding == UCS2 else "ascii")
    assert coding == (0 if text.isascii() else UCS2)
    return text
