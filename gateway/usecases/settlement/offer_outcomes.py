"""What became of blasts' texts, for their recipients: those put off are due again, those denied are not.

Everything else (sent, delivered, failed, unknown) stands in `message` and is never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, literal_column, select, update

from gateway.domain.offers.blast import Fate, State
from gateway.domain.offers.offer_ids import read_offer_id
from gateway.domain.policy.verdict import Reason
from gateway.store.sql import database, schema
from gateway.store.texts import outcomes
from gateway.store.texts.sendqueue import Result

TOO_OLD: Final = "waited too long"
_FATES: Final = {"denied": Fate.DENIED, "deferred": Fate.DEFERRED}


def file_outcomes(connection: Connection, results: Sequence[Result]) -> None:
    """File them; filed again they change nothing, since a recipient put off gets a text of another id."""
    rows = [row for result in results if (row := _row(result)) is not None]
    if rows:
        connection.execute(_TURNED, rows)


def end_unbegun(engine: Engine, blast_id: int, state: State, now: int, most: int) -> int:
    """End texts of a blast that is over which never left, as the ledger knows; how many, `most` at once.

    Their queue may be lost, and with it whoever would. `state`: the blast's; `now`: ms.
    """
    m = schema.message
    told, why = ("denied", Reason.CANCELLED.value) if state is State.CANCELLED else ("expired", TOO_OLD)
    some = (
        select(m.c.id, m.c.link)
        .where(m.c.blast_id == blast_id, schema.UNBEGUN)
        .order_by(m.c.id)
        .limit(most)
        .with_for_update()
    )
    with database.writing(engine) as connection:
        rows = connection.execute(some).all()
        ended = [Result(id_, told, 0, why, now, link, None) for id_, link in rows]
        outcomes.end_messages(connection, [outcome(result) for result in ended])
        file_outcomes(connection, ended)
    return len(rows)


def outcome(result: Result) -> dict[str, Any]:
    """What became of a text, as the ledger files it."""
    return {
        "b_id": result.message_id,
        "b_state": result.state,
        "b_link": result.link,
        "b_smsc": result.smsc_id,
        "b_attempts": result.attempts,
        "b_error": result.error,
        "b_accepted": result.at if result.state == "accepted" else None,
        "b_ended": result.at,
    }


def _row(result: Result) -> dict[str, Any] | None:
    fate = _FATES.get(result.state)
    text = read_offer_id(result.message_id) if fate is not None else None
    if fate is None or text is None:
        return None
    if result.error == Reason.CANCELLED:
        fate = Fate.CANCELLED
    return {
        "b_blast": text.blast,
        "b_message": result.message_id,
        "b_state": fate.value,
        "b_reason": result.error,
        "b_due": result.until if fate is Fate.DEFERRED else None,
    }


_OF_MESSAGE = (
    select(schema.message.c.shopper_id).where(schema.message.c.id == bindparam("b_message")).scalar_subquery()
)
_TURNED = (
    update(schema.blast_recipient)
    .where(
        schema.blast_recipient.c.blast_id == bindparam("b_blast"),
        schema.blast_recipient.c.shopper_id == _OF_MESSAGE,
        schema.blast_recipient.c.message_id == bindparam("b_message"),
        schema.blast_recipient.c.state == literal_column("'texted'"),
    )
    .values(state=bindparam("b_state"), reason=bindparam("b_reason"), due_at=bindparam("b_due"))
)
