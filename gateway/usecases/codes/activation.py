"""Codes from a page, a firm's own or ours: the same claims as by SMS, and an answer at once.

What a page is told comes from the claim itself, which is on disk; the ledger and the SMS follow.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.candidate import Candidate
from gateway.domain.codes.catalog import Campaign, Catalog, Issued, ShortNumber
from gateway.domain.reading.reading import Reading, read_text
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.store.codes.claims import ClaimCall, Verdict
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.vault.vault import Vault
from gateway.usecases.intake import Incoming, calls_of
from gateway.usecases.settlement.answering import UNCLAIMED


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Codes as they were typed, for one shopper.

    `number`: E.164 digits without plus. `link`: where the confirmation leaves; empty where none can.
    `channel`: web, api or call. `firm`: whose page it is, when only that firm's codes count.
    """

    number: str
    short_number: str
    codes: tuple[str, ...]
    language: str | None
    link: str
    channel: str
    firm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeAnswer:
    """What became of one code. `at`: ms since 1970, when it was credited or when its campaign starts.

    `texted`: an SMS tells of it, too.
    """

    outcome: Outcome
    points: int = 0
    at: int | None = None
    texted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer a code, in the order of the wish. `limited_until`: seconds since 1970, 0 when not limited.

    `fresh`: False when the same wish was answered before, and is answered the same again.
    `message_id`: of the first firm's SMS about it, when fresh; "" where none goes out.
    """

    codes: tuple[CodeAnswer, ...]
    limited_until: int = 0
    fresh: bool = True
    message_id: str = ""


class Claims(Protocol):
    """Decides: gateway.store.codes.claims."""

    async def activate(self, firm_id: int, calls: Sequence[ClaimCall]) -> list[Verdict]:
        """Raises StoreUnavailable."""


class Owners(Protocol):
    """Knows who has what: gateway.store.codes.owners."""

    async def own(self, shopper: str, codes: Sequence[Issued]) -> dict[tuple[int, int], int]:
        """Those of the codes that are this shopper's, and since when."""

    async def limited_until(self, firm: int, shopper: str) -> int:
        """Until when this shopper is limited."""


class _Decided(NamedTuple):
    """A firm's verdict on its codes."""

    codes: tuple[Issued, ...]
    verdict: Verdict


# The words of the claims' measure, which are those of texts, too.
_CLAIMS = {
    Outcome.ACTIVATED: "claimed",
    Outcome.ALREADY_USED: "repeat",
    Outcome.ALREADY_YOURS: "repeat",
}


CLAIM_WORDS = (*dict.fromkeys(_CLAIMS.values()), "invalid", "not_started", "ended", "paused")


def claim_word(outcome: Outcome) -> str:
    """What is counted of a code: measures.CLAIMS."""
    return _CLAIMS.get(outcome, outcome.value)


async def activate(wish: Wish, catalog: Catalog, claims: Claims, owners: Owners, vault: Vault) -> Answered:
    """Claim codes and say what came of each. `wish.short_number` must stand in the catalog.

    Raises StoreUnavailable, and RedisError or SQLAlchemyError when the owner of a used code cannot be asked;
    nothing is lost then by asking the same again.
    """
    short = catalog.short_numbers[wish.short_number]
    read = [_read(code, short) for code in wish.codes]
    unique = tuple(dict.fromkeys(candidate for candidate in read if candidate is not None))
    if not unique:
        return Answered(codes=tuple(CodeAnswer(outcome=Outcome.INVALID) for _ in read))
    answered = await _ask(wish, unique, short, claims, owners, vault)
    if isinstance(answered, int):
        limited = CodeAnswer(outcome=Outcome.LIMITED)
        return Answered(codes=(limited,) * len(read), limited_until=answered)
    decided, message_id_ = answered
    fresh = any(d.verdict.kind != "D" for d in decided)
    shopper = vault.index(wish.number)
    told = await _told(decided, shopper, catalog.campaigns, owners)
    by_code = {candidate: _answer_of(short, candidate, told) for candidate in unique}
    invalid = CodeAnswer(outcome=Outcome.INVALID)
    answers = tuple(invalid if candidate is None else by_code[candidate] for candidate in read)
    return Answered(codes=answers, fresh=fresh, message_id=message_id_)


def short_number_of(codes: Sequence[str], numbers: Sequence[ShortNumber], firm: int) -> ShortNumber | None:
    """The short number at which all these codes are the firm's that are so at any; of several the first.

    None where they belong to campaigns at several ones.
    """
    own = {n.number: frozenset(c for c in codes if _is_of(firm, c, n)) for n in numbers}
    every = frozenset[str]().union(*own.values())
    return min((n for n in numbers if own[n.number] == every), key=lambda n: n.number, default=None)


def _is_of(firm: int, code: str, short: ShortNumber) -> bool:
    candidate = _read(code, short)
    issued = short.resolve(candidate) if candidate else None
    return issued is not None and issued.firm_id == firm


def _read(code: str, short: ShortNumber) -> Candidate | None:
    """The one code that was typed; None when it is not one."""
    reading = read_text(code, short.forms, max_candidates=2)
    return reading.candidates[0] if len(reading.candidates) == 1 else None


async def _ask(
    wish: Wish,
    unique: tuple[Candidate, ...],
    short: ShortNumber,
    claims: Claims,
    owners: Owners,
    vault: Vault,
) -> tuple[list[_Decided], str] | int:
    """Each firm's verdict, with the id of the SMS about a new one, if any; or until when they are limited."""
    incoming = Incoming(
        message_id=message_id(int(time.time() * 1000), os.urandom(RANDOM_OCTETS)),
        number=wish.number,
        short_number=wish.short_number,
        text=f"{wish.channel}|{wish.firm or ''}|" + ",".join(c.symbols for c in unique),
        link=wish.link,
        channel=wish.channel,
    )
    reading = Reading(candidates=unique, intents=(), language=wish.language, clipped=0)
    calls = calls_of(incoming, reading, short, vault, only_firm=wish.firm)
    first = calls[0]
    verdict = await _one(claims, first)
    if (verdict.first or verdict.kind) in ("L", "Q"):
        return await owners.limited_until(first.firm_id, first.shopper)
    decided = [_Decided(first.codes, verdict)]
    decided += [_Decided(call.codes, await _one(claims, call)) for call in calls[1:]]
    verdicts = zip(calls, (d.verdict for d in decided), strict=True)
    firm = next((call.firm_id for call, v in verdicts if v.kind != "D" and not v.quiet), None)
    return decided, "" if firm is None else f"{incoming.message_id}.{firm}"


async def _one(claims: Claims, call: ClaimCall) -> Verdict:
    verdict = (await claims.activate(call.firm_id, [call]))[0]
    if verdict.kind == "X":
        raise StoreUnavailable("closed")
    return verdict


async def _told(
    decided: Sequence[_Decided], shopper: str, campaigns: Mapping[int, Campaign], owners: Owners
) -> dict[Issued, CodeAnswer]:
    said = [
        (code, letter, not d.verdict.quiet)
        for d in decided
        for code, letter in zip(d.codes, d.verdict.codes, strict=False)
    ]
    own = await owners.own(shopper, [code for code, letter, _ in said if letter == "R"])
    return {
        code: replace(_of_letter(code, letter, own, campaigns[code.campaign_id]), texted=texted)
        for code, letter, texted in said
    }


def _of_letter(
    code: Issued, letter: str, own: Mapping[tuple[int, int], int], campaign: Campaign
) -> CodeAnswer:
    if letter in UNCLAIMED:
        at = campaign.starts_at if letter == "N" else None
        return CodeAnswer(outcome=UNCLAIMED[letter], at=at)
    if letter != "R":
        return CodeAnswer(outcome=Outcome.ACTIVATED, points=campaign.rules[int(letter[1:])])
    since = own.get((code.space_id, code.serial))
    if since is None:
        return CodeAnswer(outcome=Outcome.ALREADY_USED)
    return CodeAnswer(outcome=Outcome.ALREADY_YOURS, at=since or None)


def _answer_of(short: ShortNumber, candidate: Candidate, told: Mapping[Issued, CodeAnswer]) -> CodeAnswer:
    issued = short.resolve(candidate)
    return (told.get(issued) if issued else None) or CodeAnswer(outcome=Outcome.INVALID)
