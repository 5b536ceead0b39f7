"""What became of blasts' texts, for their recipients: those put off are due again, those denied are not.

Everything else (sent, delivered, failed, unknown) stands in `message` and is never sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, bindparam, literal_column, select, update

from gateway.domain.blast import Fate
from gateway.domain.offer_ids import read_offer_id
from gateway.domain.policy.verdict import Reason
from gateway.store import schema
from gateway.store.sendqueue import Result

_FATES: Final = {"denied": Fate.DENIED, "deferred": Fate.DEFERRED}


def file_outcomes(connection: Connection, results: Sequence[Result]) -> None:
    """File them; filed again they change nothing, since a recipient put off gets a text of another id."""
    rows = [row for result in results if (row := _row(result)) is not None]
    if rows:
        connection.execute(_TURNED, rows)


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
