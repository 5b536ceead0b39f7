"""The answer to a settled text: what may be told, and in whose words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import Engine

from config import policies, texts
from config.settings import AliasSettings
from config.texts import Wording
from gateway.domain.answers.answers import CodeOutcome, Situation, compose
from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.catalog import Campaign, Catalog
from gateway.domain.people.alias import alias_of
from gateway.domain.reading.reading import Intent
from gateway.domain.sms.segments import count
from gateway.store.points.ledger import Activated
from gateway.store.texts.outbox import Accepted, Reply
from gateway.store.texts.sendqueue import seal_answer
from gateway.store.vault.vault import Vault
from gateway.usecases.intake import SEAL_REPLY, STOP_FIRM
from gateway.usecases.settlement.alias_texts import WORDS as ALIAS_WORDS
from gateway.usecases.settlement.alias_texts import ToldAlias

_SERVICES = {
    Intent.HELP.value: Outcome.HELP,
    Intent.BALANCE.value: Outcome.BALANCE,
    Intent.INVITE.value: Outcome.INVITE,
    Intent.AGREED.value: Outcome.AGREED_CALLED,
}
_CONSENTS = {"out": Outcome.OPT_OUT, "in": Outcome.OPT_IN}
UNCLAIMED = {"P": Outcome.PAUSED, "N": Outcome.NOT_STARTED, "E": Outcome.ENDED, "V": Outcome.INVALID}


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a settlement needs at hand."""

    engine: Engine
    vault: Vault
    catalog: Catalog
    alias_key: str
    aliases: AliasSettings = field(default_factory=AliasSettings)
    consent_reply_ms: int = 7 * 86_400_000  # in which a yes answers our question
    wordings: dict[tuple[int, str], Wording] = field(default_factory=dict)  # campaigns' own, as they are used


def situation(
    text: Accepted,
    shopper: int,
    balance: int,
    alias: ToldAlias | None,
    known: Mapping[tuple[int, int], Activated],
    desk: Desk,
    *,
    proved: bool = False,
) -> tuple[Situation, Campaign | None]:
    """What the answer to a text may tell, and the campaign in whose words it is told.

    `balance`: points after this text. `known`: who activated which code. `proved`: it is the first text since
    the alias was told by call.
    """
    campaigns = desk.catalog.campaigns
    codes = [
        _code_outcome(text, code, result, shopper, known, campaigns)
        for code, result in zip(text.codes, text.results, strict=False)
    ]
    if not text.limited_until:
        codes += [CodeOutcome(outcome=Outcome.INVALID, points=0, at=None)] * text.wrong
    campaign = campaigns[text.codes[0][2]] if text.codes else _campaign_at(text, desk.catalog)
    told = Situation(
        codes=tuple(codes),
        services=_services(text, alias, has_codes=bool(codes), proved=proved),
        balance=balance,
        alias=alias_of(alias.counter, desk.alias_key) if alias else None,
        alias_until=_time(alias.until) if alias and alias.until is not None else None,
        short_number=text.short_number,
        wait_until=_time(text.limited_until * 1000) if text.limited_until else None,
        campaign=campaign.name if campaign else desk.catalog.firms[text.firm_id],
        firm=desk.catalog.firms[text.firm_id],
        timezone=_zone(text, campaign, desk),
        about_codes=bool(text.codes or text.wrong),
        now=_time(text.at),
        allows=text.allows,
    )
    return told, campaign


def _zone(text: Accepted, campaign: Campaign | None, desk: Desk) -> str:
    """Where times are told: at the campaign of the codes, else where the shopper's number surely is."""
    own = campaign.timezone if campaign else "UTC"
    if text.codes or not _tells_time(text):
        return own
    covered = policies.load().covering(desk.vault.open(SEAL_REPLY, text.number).decode())
    return covered[1][0] if covered and len(covered[1]) == 1 else own


def _tells_time(text: Accepted) -> bool:
    return bool(text.limited_until) or any(word in text.services for word in ALIAS_WORDS)


def reply(text: Accepted, told: Situation, campaign: Campaign | None, desk: Desk) -> Reply:
    """The answer to a text, in the text's language, else the campaign's, and in the campaign's own words."""
    wording = _wording(language_of(text, campaign), campaign, desk)
    number = desk.vault.open(SEAL_REPLY, text.number).decode()
    words = compose(told, wording)
    sealed = seal_answer(desk.vault, number, words)
    return Reply(
        message_id=f"{text.message_id}.{text.firm_id}",
        sealed=sealed,
        short_number=text.short_number,
        link=text.link,
        seen=text.digest,
        at=text.at,
        segments=count(words, plain=True),  # as links have it by default
        asked_at=text.at if told.asks_consent else 0,
    )


def language_of(text: Accepted, campaign: Campaign | None) -> str:
    """In which language a text is answered."""
    return text.language or (campaign.language if campaign else "en")


def _wording(language: str, campaign: Campaign | None, desk: Desk) -> Wording:
    if campaign is None or language not in campaign.texts:
        return texts.load(language)
    key = campaign.id, language
    if key not in desk.wordings:
        desk.wordings[key] = texts.load(language).override(campaign.texts[language])
    return desk.wordings[key]


def _code_outcome(
    text: Accepted,
    code: tuple[int, int, int],
    result: str,
    shopper: int,
    known: Mapping[tuple[int, int], Activated],
    campaigns: Mapping[int, Campaign],
) -> CodeOutcome:
    if result in UNCLAIMED:
        campaign = campaigns[code[2]]
        at = {"N": campaign.starts_at, "E": campaign.ends_at}.get(result)
        return CodeOutcome(outcome=UNCLAIMED[result], points=0, at=None if at is None else _time(at))
    owner = known.get((code[0], code[1]))
    if owner is None or owner.shopper_id != shopper:
        return CodeOutcome(outcome=Outcome.ALREADY_USED, points=0, at=None)
    if owner.message_id == text.message_id:
        return CodeOutcome(outcome=Outcome.ACTIVATED, points=owner.points, at=None)
    return CodeOutcome(outcome=Outcome.ALREADY_YOURS, points=owner.points, at=_time(owner.claimed_at))


def _services(
    text: Accepted, alias: ToldAlias | None, *, has_codes: bool, proved: bool
) -> tuple[Outcome, ...]:
    also = (Outcome.ALIAS_PROVED,) if proved else ()
    if text.limited_until and not text.consent:
        return (Outcome.LIMITED, *also)
    if text.limited_until:
        return (_consent_told(text), *also)
    asked = dict.fromkeys(_service(s, alias) for s in text.services if s in _SERVICES or s in ALIAS_WORDS)
    told = list(asked)
    # A STOP is confirmed once: by the host of the short number, not by another firm beside its codes.
    if text.consent and (text.services or not has_codes):
        told.append(_consent_told(text))
    return (*told, *also) if told or has_codes or also else (Outcome.UNKNOWN,)


def _service(word: str, alias: ToldAlias | None) -> Outcome:
    """What is told of a service; words about the alias are answered together."""
    return _SERVICES.get(word) or (alias.outcome if alias else Outcome.ALIAS)


def _consent_told(text: Accepted) -> Outcome:
    return Outcome.OPT_OUT_FIRM if STOP_FIRM in text.services else _CONSENTS[text.consent]


def _campaign_at(text: Accepted, catalog: Catalog) -> Campaign | None:
    """The firm's newest campaign, for the words and the zone of a text without a code."""
    own = [c for c in catalog.campaigns.values() if c.firm_id == text.firm_id]
    running = [c for c in own if c.state == "running" and c.starts_at <= text.at < c.ends_at]
    return max(running or own, key=lambda c: c.id, default=None)


def _time(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
