"""Settlement: accepted texts become activations, ledger entries, consent and answers, exactly once.

One SQL transaction settles a batch. Every write is keyed by what caused it, so a batch that was settled and
not yet ended in Redis (a crash between the two) is settled again without effect, and answered once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gateway.domain.codes.catalog import Catalog
from gateway.store.integrity import watermark
from gateway.store.people import aliases
from gateway.store.people import shoppers as people
from gateway.store.points import ledger
from gateway.store.points.ledger import Activated, Standing
from gateway.store.sql import database, schema, statements
from gateway.store.texts import outcomes as outcomes_
from gateway.store.texts.outbox import Accepted, Reply
from gateway.store.texts.outcomes import Known
from gateway.store.vault.vault import Vault
from gateway.usecases.intake import SEAL_REPLY
from gateway.usecases.settlement import alias_texts, answering, asking_consent
from gateway.usecases.settlement.answering import Desk
from gateway.usecases.settlement.asking_consent import Asker
from gateway.usecases.settlement.spoken import OWN, spoken, tells


@dataclass(slots=True, kw_only=True)
class Settled:
    """What became of one text: its answer, if it gets one, and its outcomes for the log line."""

    accepted: Accepted
    reply: Reply | None
    outcomes: tuple[str, ...]


@dataclass(slots=True)
class _Batch:
    """What one transaction gathers before it writes."""

    shoppers: dict[str, int]
    balances: dict[int, int]  # before the batch; with each text that was answered, after it
    known: dict[tuple[int, int], Activated]
    proving: dict[str, Accepted]  # texts that prove the number of an alias told by call, by message id
    fresh: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    credits: dict[int, int] = field(default_factory=dict)
    by_message: dict[str, int] = field(default_factory=dict)


def settle_batch(accepted: Sequence[Accepted], desk: Desk) -> list[Settled]:
    """Settle texts of one firm, in the order of its outbox, in one transaction.

    Returns one result a text, in the same order. Any exception means that nothing was written.

    Redis gives a code to one person once, so what it calls claimed is taken for new; SQL is not asked. Its
    unique keys tell where that is wrong (a batch that was settled before a crash): then all is looked up.
    """
    if not accepted:
        return []
    try:
        return _settle(accepted, desk, again=False)
    except IntegrityError:
        return _settle(accepted, desk, again=True)


def _settle(accepted: Sequence[Accepted], desk: Desk, *, again: bool) -> list[Settled]:
    """`again`: some of it may be settled already."""
    firm_id = accepted[0].firm_id
    with database.writing(desk.engine) as connection:
        watermark.take_turn(connection, firm_id)
        shoppers = _shoppers(connection, accepted, desk.vault)
        batch = _Batch(
            shoppers={key: stands.id for key, stands in shoppers.items()},
            balances={stands.id: stands.points for stands in shoppers.values()},
            known=ledger.activated(
                connection,
                [
                    (c[0], c[1])
                    for a in accepted
                    for c, r in zip(a.codes, a.results, strict=False)
                    if again or r[0] != "C"
                ],
            ),
            proving=alias_texts.proving(
                accepted, {key: stands.told_at for key, stands in shoppers.items() if stands.told_at}
            ),
        )
        heard = spoken(accepted, shoppers)
        accepted = heard.texts
        people.speak(connection, heard.told)
        for text in accepted:
            _claim_rows(text, desk.catalog, batch)
        statements.insert_all(connection, schema.activation, batch.fresh)
        statements.insert_all(connection, schema.ledger_entry, batch.entries)
        ledger.credit(connection, firm_id, batch.credits)
        asking_consent.entries(connection, accepted, batch.shoppers, desk)
        _wrong_codes(connection, accepted)
        aliases.note_texted(connection, {batch.shoppers[t.shopper]: t.at for t in batch.proving.values()})
        done = _answers(connection, accepted, batch, desk, again=again)
        watermark.set_watermark(connection, firm_id, accepted[-1].outbox_id)
    return done


def _shoppers(connection: Connection, accepted: Sequence[Accepted], vault: Vault) -> dict[str, Standing]:
    """By shopper key; who is not known yet is entered."""
    firm_id = accepted[0].firm_id
    wanted = {a.shopper: a for a in accepted}
    known = ledger.standing(connection, firm_id, list(wanted))
    missing = [a for key, a in wanted.items() if key not in known]
    if missing:
        people.enter(connection, [_new_shopper(a, vault) for a in missing])
        known |= ledger.standing(connection, firm_id, [a.shopper for a in missing])
    return known


def _new_shopper(text: Accepted, vault: Vault) -> dict[str, Any]:
    number = vault.open(SEAL_REPLY, text.number)
    told_at = text.at if text.language and tells(text, None) else None
    language = text.language if told_at or text.channel != OWN else None
    return people.row(vault, key=text.shopper, number=number, language=language, at=text.at, told_at=told_at)


def _claim_rows(text: Accepted, catalog: Catalog, batch: _Batch) -> None:
    shopper = batch.shoppers[text.shopper]
    for (space, serial, campaign_id), result in zip(text.codes, text.results, strict=False):
        if result[0] != "C" or (space, serial) in batch.known:
            continue
        version = int(result[1:])
        points = catalog.campaigns[campaign_id].rules[version]
        batch.known[space, serial] = Activated(
            shopper_id=shopper, message_id=text.message_id, claimed_at=text.at, points=points
        )
        batch.fresh.append(
            {
                "firm_id": text.firm_id,
                "campaign_id": campaign_id,
                "space_id": space,
                "serial": serial,
                "shopper_id": shopper,
                "rule_version": version,
                "points": points,
                "channel": text.channel,
                "message_id": text.message_id,
                "claimed_at": text.at,
            }
        )
        batch.entries.append(
            {
                "firm_id": text.firm_id,
                "shopper_id": shopper,
                "kind": "activation",
                "state": "confirmed",
                "points": points,
                "reference": f"activation:{space}:{serial}",
                "entered_at": text.at,
            }
        )
        batch.credits[shopper] = batch.credits.get(shopper, 0) + points
        batch.by_message[text.message_id] = batch.by_message.get(text.message_id, 0) + points


def _wrong_codes(connection: Connection, accepted: Sequence[Accepted]) -> None:
    rows = [
        {
            "message_id": a.message_id,
            "firm_id": a.firm_id,
            "shopper_key": a.shopper,
            "count": a.counted_wrong,
            "said_at": a.at,
        }
        for a in accepted
        if a.counted_wrong
    ]
    statements.insert_missing(connection, schema.wrong_code, rows)


def _answers(
    connection: Connection, accepted: Sequence[Accepted], batch: _Batch, desk: Desk, *, again: bool
) -> list[Settled]:
    told_aliases = alias_texts.answer(connection, accepted, batch.shoppers, desk.aliases)
    asker = Asker(connection, accepted, batch.shoppers, desk)
    done: list[Settled] = []
    for text in accepted:
        shopper = batch.shoppers[text.shopper]
        # Credits of later texts in this batch are not yet part of what an earlier text is told.
        batch.balances[shopper] += batch.by_message.get(text.message_id, 0)
        told, campaign = answering.situation(
            *(text, shopper, batch.balances[shopper], told_aliases.get(text.message_id), batch.known, desk),
            proved=text.message_id in batch.proving,
        )
        if asker.asks(text, shopper, told, campaign):
            told = replace(told, asks_consent=True)
        outcomes = (*(c.outcome for c in told.codes), *told.services)
        reply = None if text.muted else answering.reply(text, told, campaign, desk)
        done.append(Settled(accepted=text, reply=reply, outcomes=tuple(map(str, outcomes))))
    asker.note(connection, accepted[0].firm_id)
    rows = [_message_row(s, batch) for s in done if s.reply is not None]
    stored = outcomes_.known_messages(connection, [row["id"] for row in rows]) if again else {}
    statements.insert_all(connection, schema.message, [row for row in rows if row["id"] not in stored])
    for settled in done if stored else ():
        known = stored.get(settled.reply.message_id) if settled.reply else None
        if settled.reply and known:
            settled.reply = _once_more(settled.reply, known)
    return done


def _once_more(reply: Reply, known: Known) -> Reply | None:
    """The answer of a text that was settled before, and not yet ended: the same as then."""
    if known.state != "queued":  # an old outbox came back with a restored Redis: it has left long ago
        return None
    return reply._replace(sealed=known.sealed) if known.sealed else reply


def _message_row(settled: Settled, batch: _Batch) -> dict[str, Any]:
    text, reply = settled.accepted, settled.reply
    if reply is None:
        raise ValueError("only an answered text has a message")
    return {
        "id": reply.message_id,
        "firm_id": text.firm_id,
        "shopper_id": batch.shoppers[text.shopper],
        "kind": "reply",
        "state": "queued",
        "link": reply.link,
        "short_number": reply.short_number,
        "outcomes": ",".join(settled.outcomes)[:120],
        "sealed": reply.sealed,
        "segments": reply.segments,
        "attempts": 0,
        "queued_at": text.at,
    }
