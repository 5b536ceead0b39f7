"""Texts about aliases: the one that a shopper has, a new one in its place, the proof of a caller's number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from config.settings import AliasSettings
from gateway.domain.answers.outcome import Outcome
from gateway.domain.people.alias import Alias
from gateway.domain.reading.reading import Intent
from gateway.store.people import aliases
from gateway.store.texts.outbox import Accepted

_DAY_MS = 86_400_000
_MONTH_MS = 30 * _DAY_MS
_TEXT, _CALL = "sms", "call"  # channels
WORDS = (Intent.ALIAS.value, Intent.NEW_ALIAS.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAlias:
    """What an answer tells of an alias.

    `until`: ms, how long the old one lives, or until when there is no new one.
    """

    counter: int
    outcome: Outcome
    until: int | None = None


def answer(
    connection: Connection, texts: Sequence[Accepted], shoppers: Mapping[str, int], settings: AliasSettings
) -> dict[str, ToldAlias]:
    """What the texts of a batch, in their order, are told of aliases: by message id, of those that ask.

    `shoppers`: key -> id. Who has none gets one. A text that is settled again gets no further one.
    """
    asking = [text for text in texts if not text.limited_until and any(w in text.services for w in WORDS)]
    if not asking:
        return {}
    first_asks: dict[int, str | None] = {}
    for text in asking:
        first_asks.setdefault(shoppers[text.shopper], text.message_id)
    had = aliases.give(connection, first_asks, asking[0].at)
    told: dict[str, ToldAlias] = {}
    for text in asking:
        own = had[shoppers[text.shopper]]
        if Intent.NEW_ALIAS.value in text.services and _wants_another(text, own, settings):
            _replace(connection, text, own[-1], settings)
            own = had[own[-1].shopper_id] = aliases.of(connection, [own[-1].shopper_id])[own[-1].shopper_id]
        told[text.message_id] = _told(text, own, settings)
    return told


def proving(texts: Sequence[Accepted], told_at: Mapping[str, int]) -> dict[str, Accepted]:
    """The texts that prove a caller's number, by message id: the first from each that came after the call.

    `told_at`: shopper key -> when (ms) the alias was told by call. Whoever asks for a new alias may not have
    called: that proves nothing, and the one that the caller has heard is never good for spending.
    """
    found: dict[str, Accepted] = {}
    for text in texts if told_at else ():
        since = told_at.get(text.shopper)
        came = since is not None and text.channel == _TEXT and text.at > since
        if came and text.shopper not in found and Intent.NEW_ALIAS.value not in text.services:
            found[text.shopper] = text
    return {text.message_id: text for text in found.values()}


def _wants_another(text: Accepted, own: Sequence[Alias], settings: AliasSettings) -> bool:
    """Whether this text gets a new alias: not when it got one, nor when there were too many.

    Nor when no answer goes out: an old alias must not end without a word.
    """
    return not text.muted and _got(text, own) is None and len(_recent(text, own)) < settings.new_per_month


def _got(text: Accepted, own: Sequence[Alias]) -> int | None:
    """Which of the aliases was given for this text."""
    return next((at for at, alias in enumerate(own) if alias.message_id == text.message_id), None)


def _recent(text: Accepted, own: Sequence[Alias]) -> list[Alias]:
    """Those of the last month that replaced another."""
    return [alias for alias in own[1:] if alias.created_at > text.at - _MONTH_MS]


def _replace(connection: Connection, text: Accepted, current: Alias, settings: AliasSettings) -> None:
    ends_at = text.at + int(settings.grace_d * _DAY_MS)
    aliases.replace(connection, current, message_id=text.message_id, now=text.at, ends_at=ends_at)


def _told(text: Accepted, own: Sequence[Alias], settings: AliasSettings) -> ToldAlias:
    current = own[-1].counter
    if Intent.NEW_ALIAS.value in text.services:
        got = _got(text, own)
        if got:
            return ToldAlias(counter=own[got].counter, outcome=Outcome.NEW_ALIAS, until=own[got - 1].ends_at)
        recent = _recent(text, own)
        if got is None and len(recent) >= settings.new_per_month:
            until = recent[-settings.new_per_month].created_at + _MONTH_MS
            return ToldAlias(counter=current, outcome=Outcome.ALIAS_KEPT, until=until)
    by_call = text.channel == _CALL
    return ToldAlias(counter=current, outcome=Outcome.ALIAS_CALLED if by_call else Outcome.ALIAS)
