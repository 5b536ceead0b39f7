"""Restores from SQL the words of consent that Redis lost. What is put back never overwrites a later word.

So a no by the API, a page or a command that comes while a rebuild runs stays in force, and so does one that
SQL has lost; a yes without its record does not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeVar

from redis import Redis
from sqlalchemy import Connection, func, select

from gateway.domain.consent.word import Channel, Consent, Said, after, read_word, word_of
from gateway.store.integrity import watermark
from gateway.store.integrity.dead_letters import DeadLetters
from gateway.store.people import erasures
from gateway.store.people.erased_keys import is_nobody
from gateway.store.redis import keys
from gateway.store.redis.functions import script
from gateway.store.sql import schema
from gateway.store.texts.outbox import Accepted

_ROWS: Final = 50_000
T = TypeVar("T")
_AT_ONCE: Final = 200  # words of one call: it is Redis' time as a whole


def refusals_stay(redis: Redis, firm_id: int) -> None:
    """Of the words that stand only every no is left. Raises RedisError."""
    stay = redis.register_script(script("refusals_stay"))
    pattern = keys.consent(firm_id, "*").replace("{", "\\{")
    for names in _batches(redis.scan_iter(match=pattern, count=5000)):
        stay(keys=names, args=[])


def put_back(connection: Connection, redis: Redis, firm_id: int) -> int:
    """What each person has said by channel, else that they were asked; how many words of the former.

    The order of changes goes on behind it. Raises RedisError, SQLAlchemyError.
    """
    back = redis.register_script(script("words_back"))
    count = 0
    for those in _batches(_words(connection, firm_id)):
        back(keys=[keys.consent(firm_id, shopper) for shopper, _ in those], args=[word for _, word in those])
        count += sum(not word.startswith("ask:") for _, word in those)
    t = schema.consent_entry
    last = connection.scalar(select(func.max(t.c.said_at)).where(t.c.firm_id == firm_id)) or 0
    changes = watermark.marks(connection)[firm_id].changes
    redis.register_script(script("order_back"))(keys=[keys.order(firm_id)], args=[last, changes])
    return count


def laid_aside(redis: Redis, firm_id: int) -> None:
    """A STOP or START that stands in dead letters holds, though SQL does not know of it."""
    back = redis.register_script(script("words_back"))
    for text in DeadLetters(redis, firm_id).texts():
        if text.consent and not is_nobody(text.shopper):
            key = keys.consent(firm_id, text.shopper)
            stands: Any = redis.get(key) or b""
            back(keys=[key], args=[_with(text, stands.decode())])


def _with(text: Accepted, stands: str) -> str:
    """The word that stands once a text is heard."""
    state = Consent.WITHDRAWN if text.consent == "out" else Consent.GIVEN
    said = read_word(stands)
    for channel in text.speaks_of:
        said[channel] = after(said[channel], state, text.said_at, text.channel)
    return word_of(said)


def _words(connection: Connection, firm_id: int) -> Iterator[tuple[str, str]]:
    """Shopper key and word; a person who was asked comes again at the end.

    Who was erased after a STOP may have said another word since, as a new person.
    """
    t, a, s = schema.consent_entry, schema.consent_ask, schema.shopper
    stream = connection.execution_options(yield_per=_ROWS)
    kept = erasures.suppressed(connection, firm_id)
    # Of one moment the no counts: it stands last, as `withdrawn` does behind `given`.
    said = stream.execute(
        select(s.c.key, t.c.channel, t.c.state, t.c.said_at, t.c.how)
        .join(s, s.c.id == t.c.shopper_id)
        .where(t.c.firm_id == firm_id, s.c.erased_at.is_(None))
        .order_by(t.c.shopper_id, t.c.said_at, t.c.state, t.c.id)
    )
    for shopper, rows in itertools.groupby(said, key=lambda row: str(row.key)):
        yield shopper, _word(kept.pop(shopper, ""), rows)
    yield from kept.items()
    asked = select(s.c.key, a.c.asked_at).join(s, s.c.id == a.c.shopper_id)
    asked = asked.where(a.c.firm_id == firm_id, s.c.erased_at.is_(None))
    for shopper, asked_at in stream.execute(asked):
        yield shopper, f"ask:{asked_at}"


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    rest = iter(items)
    while batch := list(itertools.islice(rest, _AT_ONCE)):
        yield batch


def _word(kept: str, rows: Iterable[Any]) -> str:
    said: dict[Channel, Said] = read_word(kept)
    for row in rows:
        channel = Channel(row.channel)
        said[channel] = after(said[channel], Consent(row.state), row.said_at, row.how)
    return word_of(said)
