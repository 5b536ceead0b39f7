"""The one text that answers a message, from everything that came of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from config.texts import Wording
from gateway.domain.answers.outcome import Outcome
from gateway.domain.consent.word import IN_ORDER, Channel
from gateway.domain.people.alias import groups

# Codes are told in this order, good news first; what is not here is not the outcome of a code.
_CODE_ORDER: Final = (
    Outcome.ACTIVATED,
    Outcome.ALREADY_YOURS,
    Outcome.ALREADY_USED,
    Outcome.NOT_STARTED,
    Outcome.PAUSED,
    Outcome.ENDED,
    Outcome.INVALID,
)
_ALMOST_A_MINUTE: Final = timedelta(minutes=1) - timedelta(microseconds=1)
_STOPS: Final = frozenset({Outcome.OPT_OUT, Outcome.OPT_OUT_FIRM})
_DATED: Final = frozenset({Outcome.ALREADY_YOURS, Outcome.NOT_STARTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOutcome:
    """What became of one code. `points`: credited now. `at`: when it was credited, or its campaign starts."""

    outcome: Outcome
    points: int
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that an answer may tell.

    `codes`, `services`: in the order of the text. `balance`: points after this message. `alias`: nine digits
    or more; `alias_until`: how long the one before it lives, or until when there is no new one. `wait_until`:
    when a limit ends. Times are aware; `timezone` (IANA) is where they are told. `now`, if given, lets a
    limit that ends on another day be told with the day. `short_number`: to which one texts.
    `firm`: whose offers a STOP has ended. `allows`: by what a START lets offers come. `asks_consent`: the
    answer ends with the question for consent. `about_codes`: the text had codes, so that a limit speaks of
    them.
    """

    codes: tuple[CodeOutcome, ...]
    services: tuple[Outcome, ...]
    balance: int | None
    alias: str | None
    wait_until: datetime | None
    campaign: str
    timezone: str
    now: datetime | None = None
    alias_until: datetime | None = None
    short_number: str = ""
    firm: str = ""
    asks_consent: bool = False
    allows: tuple[Channel, ...] = IN_ORDER
    about_codes: bool = True


def compose(situation: Situation, wording: Wording) -> str:
    """The answer in the words given.

    With an opt-out in it the house's words are used throughout: a campaign's own could carry marketing, and
    the confirmation of a STOP must not. Raises KeyError for a time zone or an outcome that does not exist.
    """
    words = wording.plain if _STOPS.intersection(situation.services) else wording
    sentences = [*_codes(situation, words), *(_service(s, situation, words) for s in situation.services)]
    if situation.asks_consent:
        sentences.append(consent_question(wording))
    return " ".join(sentences)


def consent_question(wording: Wording) -> str:
    """How consent to offers is asked for; kept with a yes as what was agreed to."""
    return wording.plain.say("ask_consent")


def _codes(situation: Situation, words: Wording) -> Iterator[str]:
    if len(situation.codes) == 1:
        yield _one(situation.codes[0], situation, words)
        return
    grouped: dict[tuple[Outcome, str], list[CodeOutcome]] = {}
    for code in sorted(situation.codes, key=lambda code: _CODE_ORDER.index(code.outcome)):
        date = _day(code.at, situation, words) if code.outcome in _DATED else ""
        grouped.setdefault((code.outcome, date), []).append(code)
    for (outcome, date), alike in grouped.items():
        yield words.say(
            f"several.{_key(outcome, date)}",
            codes=words.count("codes", len(alike)),
            points=words.count("points", sum(code.points for code in alike)),
            date=date,
            campaign=situation.campaign,
        )
    credited = any(outcome is Outcome.ACTIVATED for outcome, _ in grouped)
    if credited and Outcome.BALANCE not in situation.services:
        yield words.say("several.balance", balance=situation.balance or 0, campaign=situation.campaign)


def _one(code: CodeOutcome, situation: Situation, words: Wording) -> str:
    date = _day(code.at, situation, words)
    return words.say(
        _key(code.outcome, date),
        points=words.count("points", code.points),
        balance=situation.balance or 0,
        date=date,
        campaign=situation.campaign,
    )


def _key(outcome: Outcome, date: str) -> str:
    return "not_started_soon" if outcome is Outcome.NOT_STARTED and not date else outcome.value


def _day(at: datetime | None, situation: Situation, words: Wording) -> str:
    return "" if at is None else words.date("day", at.astimezone(_zone(situation.timezone)))


def _service(service: Outcome, situation: Situation, words: Wording) -> str:
    key = service.value
    alias = situation.alias
    if service is Outcome.ALIAS and alias is None:
        key = "alias_later"
    elif service is Outcome.OPT_IN and len(situation.allows) == 1:
        key = f"opt_in_{situation.allows[0]}"
    elif service is Outcome.LIMITED and not situation.about_codes:
        key = "limited_text"
    return words.say(
        key,
        points=words.count("points", situation.balance or 0),
        alias=" ".join(groups(alias or "")),
        date=_day(situation.alias_until, situation, words),
        number=situation.short_number,
        time=_wait(situation, words) if service is Outcome.LIMITED else "",
        campaign=situation.campaign,
        firm=situation.firm,
    )


def _wait(situation: Situation, words: Wording) -> str:
    if situation.wait_until is None:
        raise ValueError("a limit without its end")
    zone = _zone(situation.timezone)
    # Told in minutes, and never a moment at which the limit still holds.
    until = (situation.wait_until + _ALMOST_A_MINUTE).astimezone(zone)
    same_day = situation.now is None or situation.now.astimezone(zone).date() == until.date()
    return words.date("time" if same_day else "day_and_time", until)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
