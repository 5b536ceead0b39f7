"""Which answer a delivery receipt is for: the id as it stands first, another form only where it is sure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection

from gateway.domain.sms.receipt_ids import ALIKE, IdForm, alike, in_form, normal
from gateway.store.texts import outcomes
from gateway.store.texts.outcomes import Receipted
from gateway.store.texts.receipts import FiledReceipt

RAW: Final = "raw"
LEARN: Final = "learn"


class Match(StrEnum):
    """What became of a receipt."""

    MATCHED = "matched"
    LEARNED = "learned"  # matched in a form of ids that a sure match has proved
    UNMATCHED = "unmatched"  # of no answer that we know, yet
    AMBIGUOUS = "ambiguous"  # of more than one
    LATE = "late"  # of an answer that the SMSC took too long ago


@dataclass(slots=True, kw_only=True)
class Matched:
    """`matches`: one a receipt, in order. `learned`: the form of ids that one of them has proved."""

    matches: list[Match] = field(default_factory=list)
    learned: IdForm | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How receipts of a link are matched.

    `ids`: the link's setting: raw, learn, or the name of a form. `learned`: the form that was learned before.
    `kept_ms`: from when the SMSC took an answer until a receipt for it is late.
    `account`: the links whose answers they may be for, beside their own: an SMSC gives a receipt to any bind
    of an account. A form that is learned, or not sure yet, counts only for an answer to the number that the
    receipt is from.
    """

    ids: str
    learned: IdForm | None
    kept_ms: int
    account: frozenset[str] = frozenset()

    @property
    def to_anybody(self) -> bool:
        """Whether the form counts for an answer to any number."""
        return self.ids not in (RAW, LEARN)

    @property
    def sure(self) -> bool:
        """Whether the form is known."""
        return self.to_anybody or self.learned is not None


def match(connection: Connection, link: str, receipts: Sequence[FiledReceipt], terms: Terms) -> Matched:
    """File receipts of a link with the answers that they are for."""
    done = Matched()
    forms = _forms(terms.ids, terms.learned)
    links = terms.account | {link}
    known = _known(connection, links, {normal(r.smsc_id) for r in receipts})
    in_doubt = [r for r in receipts if _is_in_doubt(r, _may_be_for(r, known))] if forms else []
    wanted = {r.smsc_id: _ids(r.smsc_id, forms) for r in in_doubt}
    others = _known(connection, links, {id_ for ids in wanted.values() for id_ in ids})
    noted: list[tuple[FiledReceipt, Receipted]] = []
    for receipt in receipts:
        late_before = receipt.at - terms.kept_ms
        raw = _may_be_for(receipt, known)
        ids = wanted.get(receipt.smsc_id, {}) if _is_in_doubt(receipt, raw) else {}
        found, form = _in_form(
            receipt, ids, others, terms, anybody=terms.to_anybody and not raw and not receipt.own
        )
        if raw and not found:
            found = [_raw(receipt, link, raw, late_before)]
        judged = _judge(found, late_before)
        if judged is Match.MATCHED:
            noted.append((receipt, found[0]))
            if form is not None and terms.ids == LEARN:
                judged = Match.LEARNED
                done.learned = done.learned or form
        done.matches.append(judged)
    outcomes.note_receipts(connection, noted)
    return done


def _known(
    connection: Connection, links: Collection[str], normal_ids: Collection[str]
) -> dict[str, list[Receipted]]:
    """The answers by the normal form of their ids."""
    known: dict[str, list[Receipted]] = {}
    for row in outcomes.receipted(connection, links, sorted(normal_ids)):
        known.setdefault(normal(row.smsc_id), []).append(row)
    return known


def _may_be_for(receipt: FiledReceipt, known: Mapping[str, Sequence[Receipted]]) -> Sequence[Receipted]:
    """The answers under its id as it stands."""
    found = known.get(normal(receipt.smsc_id), ())
    return [
        row
        for row in found
        if row.smsc_id == receipt.smsc_id and (not receipt.own or row.shopper == receipt.shopper)
    ]


def _forms(ids: str, learned: IdForm | None) -> tuple[IdForm, ...]:
    if ids == RAW:
        return ()
    if ids != LEARN:
        return (IdForm(ids),)
    return (learned,) if learned is not None else tuple(IdForm)


def _ids(smsc_id: str, forms: Sequence[IdForm]) -> dict[str, IdForm]:
    """Normal forms of ids that the answer may stand under, with the form that says so."""
    found: dict[str, IdForm] = {}
    for form in forms:
        id_ = in_form(smsc_id, form)
        if id_ is not None:
            found.setdefault(id_, form)
    return found


def _is_in_doubt(receipt: FiledReceipt, raw: Sequence[Receipted]) -> bool:
    """Whether another form is to be looked for: ids in hexadecimal and in decimal may be the same digits, so
    one that fits as it stands, and to another number than the receipt is from, may be by chance.
    """
    return not raw or (receipt.shopper != "" and all(row.shopper != receipt.shopper for row in raw))


def _raw(receipt: FiledReceipt, link: str, found: Sequence[Receipted], late_before: int) -> Receipted:
    """SMSCs use their ids again: of those not too old the one to that number, of that link, or the newest."""

    def likely(row: Receipted) -> tuple[bool, bool, bool, bool, int]:
        in_time, his = row.accepted_at >= late_before, row.shopper == receipt.shopper
        return in_time, his, row.link == link, row.state == "accepted", row.accepted_at

    return max(found, key=likely)


def _in_form(
    receipt: FiledReceipt,
    ids: Mapping[str, IdForm],
    known: Mapping[str, Sequence[Receipted]],
    terms: Terms,
    *,
    anybody: bool,
) -> tuple[list[Receipted], IdForm | None]:
    """The open answers that another form of its id fits; `anybody`: to any number.

    Where the form is sure, one that has its receipt is found, too: this one is a further copy, or late.
    """
    fitting = [
        (row, as_told)
        for id_, form in ids.items()
        for row in known.get(id_, ())
        if (as_told := alike(receipt.smsc_id, row.smsc_id) if form in ALIKE else form) is not None
        and (anybody or (receipt.shopper and row.shopper == receipt.shopper))
    ]
    open_ = [
        (row, form)
        for row, form in fitting
        if row.state == "accepted" and row.accepted_at >= receipt.at - terms.kept_ms
    ]
    if not open_ and fitting and terms.sure:
        open_ = [max(fitting, key=lambda found: found[0].accepted_at)]
    return [row for row, _ in open_], open_[0][1] if open_ else None


def _judge(found: Sequence[Receipted], late_before: int) -> Match:
    if not found:
        return Match.UNMATCHED
    if len({(row.message_id, row.part) for row in found}) > 1:
        return Match.AMBIGUOUS
    return Match.LATE if found[0].accepted_at < late_before else Match.MATCHED
