"""Files delivery receipts: a batch of a link's at once, one by one where something in it fails."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import structlog
from redis import Redis
from sqlalchemy import Engine

from gateway.domain.sms.receipt_ids import IdForm
from gateway.store.redis import keys
from gateway.store.redis.spool import Spool, Spooled
from gateway.store.redis.suspects import Patience
from gateway.store.sql import database
from gateway.store.sql.piecemeal import piecemeal
from gateway.store.texts.receipts import FiledReceipt, packed, unpacked_line
from gateway.usecases.settlement.drain_results import UNREADABLE
from gateway.usecases.settlement.draining import Drained, Turns
from gateway.usecases.settlement.match_receipts import LEARN, Match, Terms, match

BATCHES: Final = 32
UNMATCHED_AFTER_MS = 300_000  # a receipt whose answer is not known by then is counted as unmatched
_KIND: Final = "receipts"
log = structlog.get_logger()

Failed = dict[bytes, dict[bytes, str]]  # entry -> line, without the person -> why


class _Line(NamedTuple):
    """One receipt as it stands in an entry."""

    entry: bytes
    receipt: FiledReceipt


class Receipts:
    """One link's, during one drain. `terms`: whatever of them was learned is asked for anew."""

    def __init__(self, redis: Redis, link: str, terms: Terms) -> None:
        self._redis = redis
        self._link = link
        self._terms = terms
        self._spool = Spool(redis, keys.receipts_spool(link))

    def drain(self, engine: Engine, turns: Turns, patience: Patience) -> Drained:
        """One batch. A receipt that matches no answer waits a while: it may have come first.

        Raises LedgerAway, RedisError.
        """
        rows = self._spool.next(BATCHES)
        if not rows:
            return Drained()
        failed: Failed = {}
        found: dict[bytes, Counter[Match]] = {row.id: Counter() for row in rows}
        for suspect in (False, True):  # what failed before fails no others
            lines = _lines([row for row in rows if row.suspect is suspect], failed)
            done, unfiled = piecemeal(lines, lambda batch: self._match(engine, batch))
            for line, became in done:
                found[line.entry][became] += 1
            for line, reason in unfiled:
                failed.setdefault(line.entry, {})[packed([line.receipt._replace(shopper="")])] = reason
        counted = self._end(found, failed)
        others_pass = turns.others_pass(_KIND, self._link, list(failed), passed=len(failed) < len(rows))
        dead = 0
        for entry, told in failed.items():
            reason, keep = next(iter(told.values())), {b"r": b"\n".join(told)}
            dead += self._spool.failed(entry, reason, patience, others_pass=others_pass, keep=keep)
        receipts = {str(word): n for word, n in counted.items() if n}
        return Drained(receipts=receipts, dead=dead, failed=len(failed) - dead)

    def _end(self, found: dict[bytes, Counter[Match]], failed: Failed) -> Counter[Match]:
        """End entries; what became of their receipts."""
        now_ms = int(time.time() * 1000)
        counted = Counter[Match]()
        ended = []
        for entry, here in found.items():
            waits = here[Match.UNMATCHED] and now_ms - int(entry.split(b"-", 1)[0]) < UNMATCHED_AFTER_MS
            if not waits and entry not in failed:
                ended.append(entry)
                counted += here
        self._spool.end(ended)
        return counted

    def _match(self, engine: Engine, lines: Sequence[_Line]) -> Sequence[Match]:
        terms = self._terms
        before = self._learned() if terms.ids == LEARN else None
        with database.writing(engine) as connection:
            receipts = [line.receipt for line in lines]
            found = match(connection, self._link, receipts, replace(terms, learned=before))
        if found.learned is not None and found.learned is not before:
            form = str(found.learned)
            log.warning("receipts name their messages in another form", link=self._link, form=form)
            self._redis.set(keys.receipt_form(self._link), form)
        return found.matches

    def _learned(self) -> IdForm | None:
        stored = self._redis.get(keys.receipt_form(self._link))
        return IdForm(stored.decode() if isinstance(stored, bytes) else str(stored)) if stored else None


def _lines(rows: Sequence[Spooled], failed: Failed) -> list[_Line]:
    """The receipts of entries; those that nobody can read have failed."""
    found = []
    for row in rows:
        for text in row.fields.get(b"r", b"").split(b"\n"):
            try:
                found.append(_Line(row.id, unpacked_line(text)))
            except ValueError:
                failed.setdefault(row.id, {})[_of_nobody(text)] = UNREADABLE
    return found


def _of_nobody(text: bytes) -> bytes:
    """A receipt that nobody can read, without what may be the index of a person."""
    fields = text.split(b"|", 4)
    return b"|".join((*fields[:3], b"", *fields[4:])) if len(fields) > 3 else text
