"""Holds the SMSC's journal against SQL: what was credited, to whom, how often it was confirmed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.journal import Journal
from tests.harness import Gateway


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Counts, and a line for each promise that was broken.

    `doubled_by_kill`: confirmations that came twice because a kill fell between a submit and its record;
    each is marked in SQL by its attempts. `doubled_by_redelivery`: answers beyond one a text.
    """

    texts: int
    acknowledged: int
    credited: int
    confirmations: int
    resent: int
    doubled_by_kill: int
    doubled_by_redelivery: int
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """What SQL holds; `owner` is serial -> shopper, all other mappings are by shopper."""

    owner: Mapping[int, int]
    activations: int
    entries: Sequence[Any]
    balances: Mapping[int, int]
    messages: Mapping[int, int]
    submitted_again: Mapping[int, int]


def stored(gateway: Gateway) -> Stored:
    """Read it."""
    activations = gateway.sql("SELECT serial, shopper_id FROM activation")
    balances = gateway.sql("SELECT shopper_id, points FROM balance")
    messages = gateway.sql(
        "SELECT shopper_id, count(*), sum(CASE WHEN attempts > 1 THEN attempts - 1 ELSE 0 END)"
        " FROM message GROUP BY shopper_id"
    )
    return Stored(
        owner={row[0]: row[1] for row in activations},
        activations=len(activations),
        entries=gateway.sql("SELECT shopper_id, points, kind, reference FROM ledger_entry"),
        balances={row[0]: row[1] for row in balances},
        messages={row[0]: row[1] for row in messages},
        submitted_again={row[0]: row[2] for row in messages},
    )


def judge(
    journal: Journal, serials: Mapping[str, int], found: Stored, *, points: int, most_doubled: int
) -> Verdict:
    """`serials`: valid code -> serial; `most_doubled`: confirmations that the kills may have doubled."""
    faults: list[str] = []
    codes = (journal.messages[i].code for i in journal.acknowledged)
    acknowledged = {serials[code] for code in codes if code in serials}
    credited = set(found.owner)
    _expect(faults, "acknowledged and not credited", len(acknowledged - credited))
    _expect(faults, "credited and never acknowledged", len(credited - acknowledged))
    _expect(faults, "activations beyond one a code", found.activations - len(credited))
    _ledger(faults, found, points)
    senders = _owners(faults, journal, serials, found)
    by_kill, by_redelivery = _doubled(faults, journal, senders, found)
    figures = journal.figures()
    _expect(faults, "texts without their confirmation", figures.lost)
    _expect(faults, "confirmations doubled by a re-delivery", by_redelivery)
    _expect(faults, "answers to strangers", journal.strangers)
    if by_kill > most_doubled:
        faults.append(f"confirmations doubled by kills: {by_kill}, at most {most_doubled} could be")
    return Verdict(
        texts=figures.n,
        acknowledged=len(journal.acknowledged),
        credited=len(credited),
        confirmations=sum(len(replies) for replies in journal.replies.values()),
        resent=figures.resent,
        doubled_by_kill=by_kill,
        doubled_by_redelivery=by_redelivery,
        faults=faults,
    )


def _ledger(faults: list[str], found: Stored, points: int) -> None:
    """One entry an activation, of the campaign's points, and balances that are their sums."""
    references = Counter(reference for *_, reference in found.entries)
    wrong = sum((kind, worth) != ("activation", points) for _, worth, kind, _ in found.entries)
    sums: Counter[int] = Counter()
    for shopper, worth, *_ in found.entries:
        sums[shopper] += worth
    apart = set(sums.items()) ^ set(found.balances.items())
    _expect(faults, "ledger entries beyond one a reference", len(found.entries) - len(references))
    _expect(faults, "ledger entries beside activations", abs(len(found.entries) - found.activations))
    _expect(faults, "entries of a wrong kind or points", wrong)
    _expect(faults, "balances that are not the sum of their entries", len(apart))


def _owners(
    faults: list[str], journal: Journal, serials: Mapping[str, int], found: Stored
) -> dict[bytes, int]:
    """Every sender's codes must belong to one shopper, and no shopper to two senders."""
    owners: dict[bytes, set[int]] = defaultdict(set)
    for mo in journal.messages:
        owner = found.owner.get(serials.get(mo.code, -1))
        if owner is not None:
            owners[mo.sender].add(owner)
    _expect(faults, "senders with two shoppers", sum(len(ids) > 1 for ids in owners.values()))
    senders = {sender: min(ids) for sender, ids in owners.items()}
    _expect(faults, "shoppers with two senders", len(senders) - len(set(senders.values())))
    return senders


def _doubled(
    faults: list[str], journal: Journal, senders: Mapping[bytes, int], found: Stored
) -> tuple[int, int]:
    """Confirmations beyond one a text, told apart by what SQL says of each shopper's answers."""
    texts = Counter(mo.sender for mo in journal.messages)
    groups = [({sender}, {shopper}) for sender, shopper in senders.items()]
    # Those whose codes were never issued own nothing that tells them apart: they are one group.
    groups.append((set(texts) - set(senders), set(found.messages) - set(senders.values())))
    by_kill = by_redelivery = unmarked = 0
    for numbers, shoppers in groups:
        answers = sum(found.messages.get(shopper, 0) for shopper in shoppers)
        by_redelivery += max(0, answers - sum(texts[sender] for sender in numbers))
        again = sum(len(journal.replies[sender]) for sender in numbers) - answers
        by_kill += max(0, again)
        unmarked += max(0, again - sum(found.submitted_again.get(shopper, 0) for shopper in shoppers))
    _expect(faults, "doubled confirmations that are not marked as such", unmarked)
    return by_kill, by_redelivery


def _expect(faults: list[str], what: str, count: int) -> None:
    if count != 0:
        faults.append(f"{what}: {count}")
