"""Settlement: accepted texts become activations, ledger entries, consent and answers, exactly once.

One SQL transaction settles a batch. Every write is keyed by what caused it, so a batch that was settled and
not yet ended in Redis (a crash between the two) is settled again without effect, and answered once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine

from config import texts
from gateway.domain.alias import alias_of
from gateway.domain.answers import CodeOutcome, Situation, compose
from gateway.domain.catalog import Campaign, Catalog
from gateway.domain.outcome import Outcome
from gateway.domain.reading import Intent
from gateway.domain.segments import count
from gateway.store import ledger, schema, sql
from gateway.store.ledger import Activated, Known
from gateway.store.outbox import Accepted, Reply
from gateway.store.sendqueue import seal_answer
from gateway.store.vault import Vault
from gateway.usecases.intake import SEAL_REPLY

SEAL_SHOPPER = "shopper"
CONSENT_CHANNELS = ("sms", "call")

_SERVICES = {
    Intent.HELP.value: Outcome.HELP,
    Intent.ALIAS.value: Outcome.ALIAS,
    Intent.BALANCE.value: Outcome.BALANCE,
    Intent.INVITE.value: Outcome.INVITE,
}
_UNCLAIMED = {"P": Outcome.PAUSED, "N": Outcome.NOT_STARTED, "E": Outcome.ENDED, "V": Outcome.INVALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a settlement needs at hand."""

    engine: Engine
    vault: Vault
    catalog: Catalog
    alias_key: str


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
    known: dict[tuple[int, int], Activated]
    fresh: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    credits: dict[int, int] = field(default_factory=dict)
    by_message: dict[str, int] = field(default_factory=dict)


def settle_batch(accepted: Sequence[Accepted], desk: Desk) -> list[Settled]:
    """Settle texts of one firm, in the order of its outbox, in one transaction.

    Returns one result a text, in the same order. Any exception means that nothing was written.
    """
    if not accepted:
        return []
    firm_id = accepted[0].firm_id
    with sql.writing(desk.engine) as connection:
        batch = _Batch(
            shoppers=_shoppers(connection, accepted, desk.vault),
            known=ledger.activated(connection, [(c[0], c[1]) for a in accepted for c in a.codes]),
        )
        for text in accepted:
            _claim_rows(text, desk.catalog, batch)
        ledger.insert_all(connection, schema.activation, batch.fresh)
        ledger.insert_all(connection, schema.ledger_entry, batch.entries)
        ledger.credit(connection, firm_id, batch.credits)
        _consents(connection, accepted, batch)
        _wrong_codes(connection, accepted)
        done = _answers(connection, accepted, batch, desk)
        ledger.set_watermark(connection, firm_id, accepted[-1].outbox_id)
    return done


def _shoppers(connection: Connection, accepted: Sequence[Accepted], vault: Vault) -> dict[str, int]:
    wanted = {a.shopper: a for a in accepted}
    known = ledger.shopper_ids(connection, list(wanted))
    missing = [a for key, a in wanted.items() if key not in known]
    if missing:
        rows = [
            {
                "key": a.shopper,
                "number": vault.seal(SEAL_SHOPPER, vault.open(SEAL_REPLY, a.number)),
                "language": a.language,
                "created_at": a.at,
            }
            for a in missing
        ]
        ledger.insert_missing(connection, schema.shopper, rows)
        known |= ledger.shopper_ids(connection, [a.shopper for a in missing])
    return known


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


def _consents(connection: Connection, accepted: Sequence[Accepted], batch: _Batch) -> None:
    rows = [
        {
            "firm_id": a.firm_id,
            "shopper_id": batch.shoppers[a.shopper],
            "channel": channel,
            "state": "withdrawn" if a.consent == "out" else "given",
            "how": a.channel,
            "message_id": a.message_id,
            "said_at": a.at,
        }
        for a in accepted
        if a.consent
        for channel in CONSENT_CHANNELS
    ]
    ledger.insert_missing(connection, schema.consent_entry, rows)


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
    ledger.insert_missing(connection, schema.wrong_code, rows)


def _answers(
    connection: Connection, accepted: Sequence[Accepted], batch: _Batch, desk: Desk
) -> list[Settled]:
    firm_id = accepted[0].firm_id
    balances = ledger.balances(connection, firm_id, batch.shoppers.values())
    asking = [batch.shoppers[a.shopper] for a in accepted if Intent.ALIAS.value in a.services]
    aliases = ledger.alias_counters(connection, asking, accepted[0].at) if asking else {}
    # Credits of later texts in this batch are not yet part of what an earlier text is told.
    ahead = dict(batch.credits)
    done: list[Settled] = []
    for text in accepted:
        shopper = batch.shoppers[text.shopper]
        if text.message_id in batch.by_message:
            ahead[shopper] -= batch.by_message[text.message_id]
        balance = balances.get(shopper, 0) - ahead.get(shopper, 0)
        situation, campaign = _situation(text, shopper, balance, aliases, batch, desk)
        outcomes = (*(c.outcome for c in situation.codes), *situation.services)
        reply = None if text.muted else _reply(text, situation, campaign, desk)
        done.append(Settled(accepted=text, reply=reply, outcomes=tuple(map(str, outcomes))))
    rows = [_message_row(s, batch) for s in done if s.reply is not None]
    if rows:
        stored = ledger.known_messages(connection, [row["id"] for row in rows])
        ledger.insert_all(connection, schema.message, [row for row in rows if row["id"] not in stored])
        for settled in done:
            known = stored.get(settled.reply.message_id) if settled.reply else None
            if settled.reply and known:
                settled.reply = _once_more(settled.reply, known)
    return done


def _once_more(reply: Reply, known: Known) -> Reply | None:
    """The answer of a text that was settled before, and not yet ended: the same as then."""
    if known.state != "queued":  # an old outbox came back with a restored Redis: it has left long ago
        return None
    return reply._replace(sealed=known.sealed) if known.sealed else reply


def _situation(
    text: Accepted,
    shopper: int,
    balance: int,
    aliases: Mapping[int, int],
    batch: _Batch,
    desk: Desk,
) -> tuple[Situation, Campaign | None]:
    campaigns = desk.catalog.campaigns
    codes = [
        _code_outcome(text, code, result, shopper, batch, campaigns)
        for code, result in zip(text.codes, text.results, strict=False)
    ]
    if not text.limited_until:
        codes += [CodeOutcome(outcome=Outcome.INVALID, points=0, at=None)] * text.wrong
    campaign = campaigns[text.codes[0][2]] if text.codes else _campaign_at(text, desk.catalog)
    counter = aliases.get(shopper)
    situation = Situation(
        codes=tuple(codes),
        services=_services(text, bool(codes)),
        balance=balance,
        alias=None if counter is None else alias_of(counter, desk.alias_key),
        wait_until=_time(text.limited_until * 1000) if text.limited_until else None,
        campaign=campaign.name if campaign else desk.catalog.firms[text.firm_id],
        timezone=campaign.timezone if campaign else "UTC",
        now=_time(text.at),
    )
    return situation, campaign


def _code_outcome(
    text: Accepted,
    code: tuple[int, int, int],
    result: str,
    shopper: int,
    batch: _Batch,
    campaigns: Mapping[int, Campaign],
) -> CodeOutcome:
    if result in _UNCLAIMED:
        campaign = campaigns[code[2]]
        at = {"N": campaign.starts_at, "E": campaign.ends_at}.get(result)
        return CodeOutcome(outcome=_UNCLAIMED[result], points=0, at=None if at is None else _time(at))
    owner = batch.known.get((code[0], code[1]))
    if owner is None or owner.shopper_id != shopper:
        return CodeOutcome(outcome=Outcome.ALREADY_USED, points=0, at=None)
    if owner.message_id == text.message_id:
        return CodeOutcome(outcome=Outcome.ACTIVATED, points=owner.points, at=None)
    return CodeOutcome(outcome=Outcome.ALREADY_YOURS, points=owner.points, at=_time(owner.claimed_at))


def _services(text: Accepted, has_codes: bool) -> tuple[Outcome, ...]:
    if text.limited_until and not text.consent:
        return (Outcome.LIMITED,)
    if text.limited_until:
        return (Outcome.OPT_OUT if text.consent == "out" else Outcome.OPT_IN,)
    asked = [_SERVICES[s] for s in text.services if s in _SERVICES]
    # A STOP is confirmed once: by the host of the short number, not by another firm beside its codes.
    if text.consent and (text.services or not has_codes):
        asked.append(Outcome.OPT_OUT if text.consent == "out" else Outcome.OPT_IN)
    return tuple(asked) if asked or has_codes else (Outcome.UNKNOWN,)


def _campaign_at(text: Accepted, catalog: Catalog) -> Campaign | None:
    """The firm's newest campaign, for the words and the zone of a text without a code."""
    own = [c for c in catalog.campaigns.values() if c.firm_id == text.firm_id]
    running = [c for c in own if c.state == "running" and c.starts_at <= text.at < c.ends_at]
    return max(running or own, key=lambda c: c.id, default=None)


def _reply(text: Accepted, situation: Situation, campaign: Campaign | None, desk: Desk) -> Reply:
    language = text.language or (campaign.language if campaign else "en")
    wording = texts.load(language)
    own = campaign.texts.get(language) if campaign else None
    if own:
        wording = wording.override(own)
    number = desk.vault.open(SEAL_REPLY, text.number).decode()
    words = compose(situation, wording)
    sealed = seal_answer(desk.vault, number, words)
    return Reply(
        message_id=f"{text.message_id}.{text.firm_id}",
        sealed=sealed,
        short_number=text.short_number,
        link=text.link,
        seen=text.digest,
        at=text.at,
        segments=count(words),
    )


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


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
