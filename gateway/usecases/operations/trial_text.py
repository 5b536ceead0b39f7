"""A text of the operator's own to try a link with: queued like any other.

Its story is told by gateway.store.texts.messages.
"""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from redis import Redis
from sqlalchemy import Engine

from gateway.domain.sms.priority import Priority
from gateway.domain.sms.segments import count
from gateway.store.people import shoppers
from gateway.store.people.dealings import TRIAL
from gateway.store.redis import keys
from gateway.store.sql import database, schema, statements
from gateway.store.texts.sendqueue import seal_answer
from gateway.store.vault import access_report
from gateway.store.vault.vault import Vault

KIND = TRIAL
LIVES_MS: Final = 300_000  # a test of words is of use while somebody looks at the telephone


class Trial(NamedTuple):
    """What is to be sent. `number`: E.164 digits; `message_id`: 24 hexadecimal digits.

    `blast`: whose words it has: then it is marketing, is sent soon or never, and a no keeps it back.
    """

    message_id: str
    firm_id: int
    link: str
    short_number: str
    number: str
    text: str
    blast: str = ""


def send(trial: Trial, engine: Engine, redis: Redis, vault: Vault, who: str) -> str:
    """Queue it behind the replies; its id. The row is there before the text, so that no outcome is missed.

    `who` reaches for the number: noted in the access log.
    Raises SQLAlchemyError, RedisError.
    """
    id_, now = f"{trial.message_id}.{trial.firm_id}", int(time.time() * 1000)
    sealed, key = seal_answer(vault, trial.number, trial.text), vault.index(trial.number)
    with database.writing(engine) as connection:
        shopper = shoppers.known_or_new(connection, vault, key=key, number=trial.number, at=now)
        access_report.note(connection, who, KIND, shopper.id)
        row = {
            "id": id_,
            "firm_id": trial.firm_id,
            "shopper_id": shopper.id,
            "kind": KIND,
            "state": "queued",
            "link": trial.link,
            "short_number": trial.short_number,
            "outcomes": "",
            "sealed": sealed,
            "segments": count(trial.text),
            "attempts": 0,
            "queued_at": now,
        }
        statements.insert_all(connection, schema.message, [row])
    fields: dict[Any, Any] = {"m": id_, "x": sealed, "d": trial.short_number, "s": "", "t": now}
    if trial.blast:
        fields |= {"u": now + LIVES_MS, "k": key, "b": trial.blast}
    redis.xadd(keys.send(trial.firm_id, trial.link, Priority.SERVICE), fields)
    return id_
