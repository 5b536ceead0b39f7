"""A running gateway between real SMSCs and shoppers who text: the stage of the acceptance tests."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families as parse_metrics

from config import settings as settings_module
from gateway.store.redis import keys
from gateway.store.telemetry.metrics import METRICS, exposition
from gateway.store.vault import master_secret
from gateway.store.vault.vault import Vault
from tests.acceptance.books import Stored, stored
from tests.acceptance.phone import Shopper, encoded, shown
from tests.harness import Gateway, link_table
from tests.peers.smsc import Delivery, Program, SmscPeer

HELD_MS: Final = 60_000


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
        return stored(self.gateway.sql, self.vault.index(shopper.number))

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
    own: Mapping[str, Mapping[str, object]] | None = None,
    clock_offset_s: int = 0,
    together: str = "",
) -> AsyncIterator[Stand]:
    """`undercap up` with a link to each SMSC; `link`: settings of every link, `own`: of one by name.

    `together`: one link of this name has all of them as its hosts.
    `settings`: sections; `clock_offset_s`: by how much the clock that decides over marketing is moved.
    """
    async with AsyncExitStack() as stack:
        smscs: dict[str, SmscPeer] = {}
        for name, program in programs.items():
            smscs[name] = SmscPeer(program)
            await smscs[name].start()
            stack.push_async_callback(smscs[name].stop)
        links = [
            link_table(smsc.port, **{"name": name, **(link or {}), **(own or {}).get(name, {})})
            for name, smsc in smscs.items()
        ]
        if together:
            hosts = [f"127.0.0.1:{smsc.port}" for smsc in smscs.values()]
            links = [link_table(0, **{"name": together, "host": "", "hosts": hosts, **(link or {})})]
        gateway = stack.enter_context(
            closing(
                Gateway(
                    state=state, links=links, settings=dict(settings or {}), clock_offset_s=clock_offset_s
                )
            )
        )
        gateway.write_config()
        gateway.start("up")
        for smsc in smscs.values():
            await smsc.wait_bound()
        vault = Vault(master_secret.load_or_make(settings_module.load(gateway.config)))
        yield Stand(gateway=gateway, smscs=smscs, vault=vault)
