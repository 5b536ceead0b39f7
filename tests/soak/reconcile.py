"""Holds the books (activations, ledger, messages) against the journal of an SMSC in trouble, text by text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from config.statuses import table
from tests.harness import Gateway
from tests.soak.trouble_journal import REFUSALS, Submit, TroubleJournal
from tests.soak.trouble_texts import Text

TRIES: Final = 2  # of a reply whose outcome stays unknown
ENDS: Final = frozenset({"accepted", "delivered", "failed", "expired", "unknown"})
RECEIPT_ERRORS: Final = ("UNDELIV 027", "UNDELIV")  # its text tells the error, its parameters do not
NAMED: Final = 5  # faults of a kind that are told one by one


class Row(NamedTuple):
    """A row of `message`. `parts`: the SMSC's ids of a long answer's parts, joined by commas."""

    state: str
    smsc_id: str | None
    attempts: int
    error: str | None
    ended_at: int | None
    parts: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """What SQL holds, by the vault's index of a number."""

    activations: Mapping[str, Sequence[int]]
    entries: Mapping[str, Sequence[tuple[str, int]]]
    messages: Mapping[str, Sequence[Row]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconciled:
    """Counts, and a line for each promise that was broken.

    `copies`: parts of answers that the SMSC took a further time after an outcome that stayed unknown;
    `marked_as_doubled`: answers that SQL says were begun more than once. A fault names some of its texts.
    """

    texts: int
    acknowledged: int
    credited: int
    states: Mapping[str, int]
    submits: int
    copies: int
    marked_as_doubled: int
    receipts_sound: int
    troubles: Mapping[str, int]
    receipts: Mapping[str, int]
    statuses: Mapping[int, int]
    resent: int
    faults: list[str] = field(default_factory=list)


def parts_of_answers(gateway: Gateway) -> dict[str, str]:
    """Answer -> the SMSC's ids of its parts, in one word; an answer of one part has its id in its own row."""
    found: dict[str, list[str]] = defaultdict(list)
    for message, smsc_id in gateway.sql("SELECT message_id, smsc_id FROM message_part ORDER BY part"):
        if smsc_id is not None:
            found[message].append(smsc_id)
    return {message: ",".join(ids) for message, ids in found.items()}


def books(gateway: Gateway) -> Books:
    """Read them."""
    by_shopper = "JOIN shopper ON shopper.id = shopper_id"
    parts = parts_of_answers(gateway)
    return Books(
        activations=_grouped(
            gateway.sql(f"SELECT key, serial FROM activation {by_shopper}"),  # noqa: S608 - a constant
            lambda row: row[0],
        ),
        entries=_grouped(
            gateway.sql(f"SELECT key, kind, points FROM ledger_entry {by_shopper}"),  # noqa: S608
            tuple,
        ),
        messages=_grouped(
            gateway.sql(
                f"SELECT key, state, smsc_id, attempts, error, ended_at, message.id FROM message {by_shopper}"  # noqa: S608
            ),
            lambda row: Row._make([*row[:-1], parts.get(row[-1])]),
        ),
    )


def _grouped(rows: Sequence[Any], make: Callable[[Any], Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, *rest in rows:
        found[key].append(make(rest))
    return found


def reconcile(
    those: Sequence[Text], journal: TroubleJournal, found: Books, index: Callable[[str], str], points: int
) -> Reconciled:
    """`index`: the vault's, from number to key; `points`: what one code is worth."""
    faults: dict[str, list[int]] = defaultdict(list)
    credited = copies = 0
    for i, text in enumerate(those):
        number = text.sender.decode()
        key = index(number)
        if not journal.acknowledged(i):
            faults["never acknowledged"].append(i)
        due = [] if text.serial is None else [text.serial]
        credited += len(due)
        if list(found.activations.get(key, [])) != due:
            faults["not exactly one activation of its code"].append(i)
        if [tuple(e) for e in found.entries.get(key, [])] != [("activation", points)] * len(due):
            faults["not exactly one ledger entry"].append(i)
        rows, submits = found.messages.get(key, []), journal.submits.get(number, [])
        if len(rows) != 1:
            faults[f"{len(rows)} answers to a text"].append(i)
            continue
        for fault in _answer_faults(rows[0], submits, journal):
            faults[fault].append(i)
        copies += sum(count - 1 for count in _taken(submits).values())
    known = {text.sender.decode() for text in those}
    strangers = sum(number not in known for number in journal.submits)
    keys = {index(number) for number in known}
    more = sum(len(rows) for key, rows in found.activations.items() if key not in keys)
    told = [f"{what}: {len(them)}, such as {them[:NAMED]}" for what, them in faults.items()]
    told += [f"{what}: {count}" for what, count in (("strangers", strangers), ("credited to", more)) if count]
    if journal.receipts["refused"]:
        told.append(f"receipts refused for good: {journal.receipts['refused']}")
    states = Counter(row.state for rows in found.messages.values() for row in rows)
    doubled = sum(row.attempts > 1 for rows in found.messages.values() for row in rows)
    return Reconciled(
        texts=len(those),
        acknowledged=sum(journal.acknowledged(i) for i in range(len(those))),
        credited=credited,
        states=dict(states),
        submits=sum(map(len, journal.submits.values())),
        copies=copies,
        marked_as_doubled=doubled,
        receipts_sound=len(journal.sound),
        troubles=dict(journal.troubles),
        receipts=dict(journal.receipts),
        statuses=dict(journal.statuses),
        resent=journal.resent,
        faults=told,
    )


def _answer_faults(row: Row, submits: Sequence[Submit], journal: TroubleJournal) -> list[str]:
    """What the journal says against a row of `message`."""
    faults = []
    if row.state not in ENDS or row.ended_at is None:
        faults.append(f"its answer has no end: {row.state}")
    unknown = any(journal.unknown(submit) for submit in submits)
    most = max(_taken(submits).values(), default=0)
    if most > 1 and not unknown:
        faults.append("doubled though each outcome was known")
    if most > max(1, row.attempts):
        faults.append("doubled more often than it is marked")
    ids = {submit.message_id: submit for submit in submits if submit.status == 0}
    if row.state in ("accepted", "delivered") and row.smsc_id not in ids:
        faults.append(f"{row.state} without its id in the journal")
    if row.smsc_id in ids and not ids[row.smsc_id].last:
        faults.append("the id is not that of its last part")
    faults += _end_faults(row, submits, unknown, told_of(row.parts or row.smsc_id or "", journal))
    return faults


def told_of(ids: str, journal: TroubleJournal) -> str | None:
    """What its receipts make of an answer, by the SMSC's ids of its parts: one failed, or all are there."""
    states = {journal.sound.get(id_) for id_ in ids.split(",")}
    return "failed" if "failed" in states else "delivered" if states == {"delivered"} else None


def _end_faults(row: Row, submits: Sequence[Submit], unknown: bool, told: str | None) -> list[str]:
    """Whether the state is the one that the journal accounts for. `told`: by its receipts."""
    final = any(s.status and s.status not in REFUSALS for s in submits)
    refused = _refused_for_good(submits)
    wrong = {
        "accepted": told is not None and f"accepted, though its receipt says {told}",
        "delivered": told != "delivered" and f"delivered, though its receipt says {told}",
        "failed": not (told == "failed" and row.error in RECEIPT_ERRORS)
        and not (final or refused)
        and f"failed ({row.error}) though the SMSC did not refuse it",
        "unknown": (row.attempts < TRIES and "unknown, and not sent once more")
        or (not unknown and len(submits) > 1 and "unknown, though its outcomes were told"),
        "expired": "expired, though nothing waited so long",
    }.get(row.state)
    return [wrong] if wrong else []


def _refused_for_good(submits: Sequence[Submit]) -> bool:
    """Whether one status came more often than the gateway's table has retries for."""
    counts = Counter(s.status for s in submits if s.status)
    return any(
        (retries := table()[status].retries) is not None and count > retries
        for status, count in counts.items()
        if status in table()
    )


def _taken(submits: Sequence[Submit]) -> Counter[int]:
    """How often the SMSC took each part."""
    return Counter(submit.part for submit in submits if not submit.status)
