"""What a callee's keys ask of the gateway: the offer by SMS, or no more offers.

What cannot be done at once is kept on disk and tried again until it is done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from redis.exceptions import RedisError
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from gateway.domain.codes.catalog import Catalog
from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer import Facts, Setting, render
from gateway.store.calls.spool import Kind, Wish, WishBook
from gateway.store.offers import blasts
from gateway.store.offers.requested_texts import LIVES_MS
from gateway.usecases.calls.free_number import ANSWER_WITHIN_S, Away

RETRY_EVERY_S: Final = 0.5  # a refusal must be in force before the gate allows anything again
log = structlog.get_logger()


class Refusals(Protocol):
    """gateway.usecases.calls.free_number."""

    async def stop(self, number: str, short_number: str, language: str, *, said_at: int = 0) -> None:
        """No more offers of any firm of the short number, in force when it returns. Raises Away, in time.

        `said_at`: of a no that was kept, ms: what was surely said since then stands.
        """


class Asked(Protocol):
    """gateway.store.offers.requested_texts. Both raise SQLAlchemyError, `put` also RedisError."""

    async def facts(self, callee: Callee) -> Facts:
        """What a text may tell."""

    async def put(self, callee: Callee, link: str, text: str) -> None:
        """Queue it, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferDesk:
    """What offer calls need at hand. `link`: by which one an SMS to a number leaves, empty: by none."""

    catalog: Callable[[], Catalog]
    engine: Engine
    refusals: Refusals
    asked: Asked
    link: Callable[[str], str]
    book: WishBook

    async def send_offer(self, callee: Callee) -> None:
        """Send the blast's text as a reply: once, however often it is asked for. Raises Away: it is kept."""
        await self._now_or_later(Kind.SEND, callee)

    async def refuse(self, callee: Callee) -> None:
        """No more offers, as by the text STOP; in force when it returns. Raises Away: it is kept."""
        await self._now_or_later(Kind.REFUSE, callee)

    async def run(self) -> None:
        """Until cancelled: do what was kept."""
        while True:
            await self.catch_up()
            await asyncio.sleep(RETRY_EVERY_S)

    async def catch_up(self) -> None:
        """Try everything that was kept, once; to be done before the first call is made."""
        for name, wish in self.book.waiting():
            await self._again(name, wish)

    async def _now_or_later(self, kind: Kind, callee: Callee) -> None:
        wish = Wish(kind=kind, callee=callee, at=_now())
        try:
            await self._fulfil(wish)
        except BaseException:  # whatever it is, be it that our process ends: the wish holds
            self.book.keep(wish)
            raise

    async def _again(self, name: str, wish: Wish) -> None:
        if wish.kind is Kind.SEND and wish.at < _now() - LIVES_MS:
            log.warning("an offer that was asked for could not be sent", blast=wish.callee.blast_id)
            self.book.done(name)
            return
        try:
            await self._fulfil(wish, kept=True)
        except Away:
            return
        except Exception:
            log.exception("a wish of a call cannot be done")
            return
        log.info("a wish of a call is done", kind=str(wish.kind), after_ms=_now() - wish.at)
        self.book.done(name)

    async def _fulfil(self, wish: Wish, *, kept: bool = False) -> None:
        callee = wish.callee
        if wish.kind is Kind.REFUSE:
            said_at = wish.at if kept else 0
            await self.refusals.stop(callee.number, callee.short_number, callee.language, said_at=said_at)
            return
        link = self.link(callee.number)
        if not link:
            raise Away("no link carries texts to this number")
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self.asked.put(callee, link, await self._text(callee))
        except (RedisError, SQLAlchemyError, OSError, TimeoutError) as err:
            raise Away(type(err).__name__) from err

    async def _text(self, callee: Callee) -> str:
        blast = await asyncio.to_thread(blasts.find, self.engine, callee.blast_id)
        catalog = self.catalog()
        if blast is None or blast.campaign_id not in catalog.campaigns:
            raise Away("no such blast, or its campaign is not known yet")
        campaign = catalog.campaigns[blast.campaign_id]
        setting = Setting(
            campaign=campaign.name, firm=catalog.firms[blast.firm_id], timezone=campaign.timezone
        )
        return render(blast.template, callee.language, await self.asked.facts(callee), setting)


def _now() -> int:
    return int(time.time() * 1000)
