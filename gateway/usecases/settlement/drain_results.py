"""Files what became of answers: a batch of a firm's results at once, one by one where that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from redis import Redis
from sqlalchemy import Engine

from gateway.store.consent import contact_log
from gateway.store.consent.contact_log import Made
from gateway.store.integrity import watermark
from gateway.store.redis import keys
from gateway.store.redis.spool import Spool, Spooled
from gateway.store.redis.suspects import Patience
from gateway.store.sql import database
from gateway.store.sql.piecemeal import piecemeal
from gateway.store.texts import outcomes
from gateway.store.texts.sendqueue import Result, parse_result
from gateway.usecases.settlement import offer_outcomes
from gateway.usecases.settlement.draining import Drained, Turns

BATCHES: Final = 64
UNREADABLE: Final = "unreadable"
_KIND: Final = "results"

Failed = dict[bytes, dict[bytes, str]]  # entry -> line -> why


class _Line(NamedTuple):
    """One outcome as it stands in an entry."""

    entry: bytes
    text: bytes
    result: Result


class Results:
    """One firm's, during one drain."""

    def __init__(self, redis: Redis, firm_id: int) -> None:
        self._firm_id = firm_id
        self._spool = Spool(redis, keys.results_spool(firm_id))

    def drain(self, engine: Engine, turns: Turns, patience: Patience) -> Drained:
        """One batch. An entry of which a line fails stays whole: what is filed twice changes nothing.

        Raises LedgerAway, RedisError.
        """
        rows = self._spool.next(BATCHES)
        failed: Failed = {}
        filed = 0
        for suspect in (False, True):  # what failed before fails no others
            lines = _lines([row for row in rows if row.suspect is suspect], failed)
            done, unfiled = piecemeal(lines, lambda batch: _file(engine, self._firm_id, batch))
            filed += len(done)
            for line, reason in unfiled:
                failed.setdefault(line.entry, {})[line.text] = reason
        passed = [row.id for row in rows if row.id not in failed]
        self._spool.end(passed)
        others_pass = turns.others_pass(_KIND, self._firm_id, list(failed), passed=bool(passed))
        dead = 0
        for entry, told in failed.items():
            reason, keep = next(iter(told.values())), {b"j": b"\n".join(told)}
            dead += self._spool.failed(entry, reason, patience, others_pass=others_pass, keep=keep)
        return Drained(results=filed, dead=dead, failed=len(failed) - dead)


def _lines(rows: Sequence[Spooled], failed: Failed) -> list[_Line]:
    """The outcomes of entries; those that nobody can read have failed."""
    found = []
    for row in rows:
        for text in row.fields.get(b"j", b"").split(b"\n"):
            try:
                found.append(_Line(row.id, text, parse_result(text)))
            except ValueError:
                failed.setdefault(row.id, {})[text] = UNREADABLE
    return found


def _file(engine: Engine, firm_id: int, lines: Sequence[_Line]) -> Sequence[None]:
    results = [line.result for line in lines]
    parts = [part for result in results for part in _parts(result)]
    made = [
        Made(result.message_id, firm_id, result.state, result.at, result.basis)
        for result in results
        if result.basis is not None
    ]
    with database.writing(engine) as connection:
        outcomes.end_messages(connection, [offer_outcomes.outcome(result) for result in results])
        outcomes.insert_parts(connection, parts)
        offer_outcomes.file_outcomes(connection, results)
        contact_log.note(connection, made)
        watermark.note_results(
            connection, firm_id, max((line.entry.decode() for line in lines), key=watermark.stream_id)
        )
    return [None] * len(lines)


def _parts(result: Result) -> list[dict[str, Any]]:
    """What the SMSC took of a long answer."""
    return [
        {
            "message_id": result.message_id,
            "part": part,
            "link": result.link,
            "smsc_id": smsc_id,
            "state": "accepted",
            "accepted_at": result.at,
        }
        for part, smsc_id in enumerate(result.parts, 1)
        if smsc_id
    ]
