"""The desk of offer calls, put together from what a process stands on."""

from __future__ import annotations

from collections.abc import Callable

from gateway.entry.wiring.backing import Backing, CatalogKeeper
from gateway.store.calls.spool import FOLDER, WishBook
from gateway.store.offers.requested_texts import AskedOffers
from gateway.store.redis.durable import DurableRedis
from gateway.usecases.calls.offer_keys import OfferDesk, Refusals


def offer_desk(
    backing: Backing,
    redis: DurableRedis,
    keeper: CatalogKeeper,
    refusals: Refusals,
    link: Callable[[str], str],
) -> OfferDesk:
    """With what an earlier process has left undone; its owner lets it `catch_up` and `run`. Raises OSError.

    `refusals`: the desk of calls. `link`: as for that.
    """
    book = WishBook(backing.settings.state_dir / FOLDER, backing.vault)
    book.open()
    return OfferDesk(
        catalog=lambda: keeper.catalog,
        engine=backing.engine,
        refusals=refusals,
        asked=AskedOffers(redis, backing.engine, backing.vault),
        link=link,
        book=book,
    )
