"""Delivery receipts on their way to the ledger: one stream a link, one entry a batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from gateway.domain.written.outside import fitted
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis

MOST_SMSC_ID: Final = 65  # SMPP 3.4, 5.2.23, with its NUL
MOST_ERROR: Final = 64


_OWN: Final = "="  # before the index


class FiledReceipt(NamedTuple):
    """What an SMSC says became of an answer. `state`: delivered, expired or failed; `at`: ms since 1970.

    `shopper`: the vault's index of the number that it is from; empty where that is no phone's. `own`: it is
    good for answers to that number alone.
    """

    smsc_id: str
    state: str
    error: str | None
    at: int
    shopper: str = ""
    own: bool = False


class ReceiptLog:
    """The SMPP process's side."""

    def __init__(self, redis: DurableRedis) -> None:
        self._redis = redis

    async def add(self, link: str, receipts: Sequence[FiledReceipt]) -> None:
        """Store receipts of one link; on disk when it returns. Raises RedisError."""
        await self._redis.call("XADD", keys.receipts(link), "*", "r", packed(receipts))


def unpacked(body: bytes) -> list[FiledReceipt]:
    """The receipts of one entry, as `add` stored them. Raises ValueError."""
    return [unpacked_line(line) for line in body.split(b"\n")]


def unpacked_line(line: bytes) -> FiledReceipt:
    """One receipt of an entry. Raises ValueError."""
    state, error, at, shopper, smsc_id = line.decode().split("|", 4)
    own = shopper.startswith(_OWN)
    return FiledReceipt(smsc_id, state, error or None, int(at), shopper.removeprefix(_OWN), own)


def packed(receipts: Sequence[FiledReceipt]) -> bytes:
    """As `unpacked` reads them."""
    # The SMSC's id stands last, since it may hold anything; a line feed in it could match no answer anyway.
    lines = [
        f"{r.state}|{fitted(r.error or '', MOST_ERROR)}|{r.at}|{_OWN if r.own else ''}{r.shopper}"
        f"|{fitted(r.smsc_id, MOST_SMSC_ID)}"
        for r in receipts
    ]
    return "\n".join(line.replace("\n", " ") for line in lines).encode()
