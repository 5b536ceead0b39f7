"""Which answer a delivery receipt is for: the id as it stands first, another form only where it is sure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.domain.receipt_ids import IdForm, candidates
from gateway.store import ledger
from gateway.store.ledger import Receipted
from gateway.store.receipts import FiledReceipt

KEPT_MS: Final = 7 * 86_400_000  # from an answer's end until a receipt for it is late
RAW: Final = "raw"
LEARN: Final = "learn"


class Match(StrEnum):
    """What became of a receipt."""

    MATCHED = "matched"
    UNMATCHED = "unmatched"  # of no answer that we know, yet
    AMBIGUOUS = "ambiguous"  # of more than one
    LATE = "late"  # of an answer that ended too long ago


@dataclass(slots=True, kw_only=True)
class Matched:
    """`matches`: one a receipt, in order. `learned`: the form of ids that one of them has proved."""

    matches: list[Match] = field(default_factory=list)
    learned: IdForm | None = None


def match(
    connection: Connection, link: str, receipts: Sequence[FiledReceipt], *, ids: str, learned: IdForm | None
) -> Matched:
    """File receipts of a link with the answers that they are for.

    `ids`: the link's setting: raw, learn, or the name of a form. `learned`: the form that was learned before.
    A form that is learned, or not sure yet, counts only for an answer to the number that the receipt is from.
    """
    done = Matched()
    forms = _forms(ids, learned)
    wanted = {r.smsc_id: _ids(r.smsc_id, forms) for r in receipts}
    every = sorted({id_ for ids_ in wanted.values() for id_ in ids_})
    known: dict[str, list[Receipted]] = {}
    for row in ledger.receipted(connection, link, every):
        known.setdefault(row.smsc_id, []).append(row)
    noted: list[tuple[FiledReceipt, str]] = []
    for receipt in receipts:
        found, form = _found(receipt, wanted[receipt.smsc_id], known, to_anybody=ids not in (RAW, LEARN))
        match_ = _judge(receipt, found)
        if match_ is Match.MATCHED:
            noted.append((receipt, found[0].message_id))
            done.learned = done.learned or (form if ids == LEARN else None)
        done.matches.append(match_)
    ledger.note_receipts(connection, noted)
    return done


def _forms(ids: str, learned: IdForm | None) -> tuple[IdForm, ...]:
    if ids == RAW:
        return ()
    if ids != LEARN:
        return (IdForm(ids),)
    return (learned,) if learned is not None else tuple(IdForm)


def _ids(smsc_id: str, forms: Sequence[IdForm]) -> dict[str, IdForm | None]:
    """Ids that the answer may stand under, with the form that says so."""
    found: dict[str, IdForm | None] = {smsc_id: None}
    for form in forms:
        for id_ in candidates(smsc_id, form):
            found.setdefault(id_, form)
    return found


def _found(
    receipt: FiledReceipt,
    ids: Mapping[str, IdForm | None],
    known: Mapping[str, Sequence[Receipted]],
    *,
    to_anybody: bool,
) -> tuple[list[Receipted], IdForm | None]:
    raw = known.get(receipt.smsc_id, ())
    if raw:
        # SMSCs use their ids again: the one that waits for its receipt, if one does; the newest else.
        return [max(raw, key=lambda row: (row.state == "accepted", row.ended_at))], None
    others = [
        (row, form)
        for id_, form in ids.items()
        for row in (known.get(id_, ()) if form is not None else ())
        if row.state == "accepted" and (to_anybody or (receipt.shopper and row.shopper == receipt.shopper))
    ]
    return [row for row, _ in others], others[0][1] if others else None


def _judge(receipt: FiledReceipt, found: Sequence[Receipted]) -> Match:
    if not found:
        return Match.UNMATCHED
    if len({row.message_id for row in found}) > 1:
        return Match.AMBIGUOUS
    return Match.LATE if receipt.at - found[0].ended_at > KEPT_MS else Match.MATCHED
