"""A house whose vault follows a file of sealing keys, and what tests of the vault do with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateway.store.people import sealed_values
from gateway.store.redis.suspects import NONE
from gateway.store.texts.outbox import Outbox
from gateway.store.vault import sealing_keys
from gateway.store.vault.sealing_keys import KeyFile
from gateway.store.vault.vault import Vault
from gateway.usecases.vault import rotate
from tests.integration.house import MASTER, House

AGO_S = 3600


def keys_file(house: House) -> Path:
    """Where its sealing keys stand."""
    return house.state / sealing_keys.FILE_NAME


def process(house: House) -> Vault:
    """The vault of one more process."""
    return Vault(MASTER, KeyFile(keys_file(house)))


def rotated(house: House) -> int:
    """A new generation, made an hour ago as far as clocks are concerned."""
    made = rotate.rotate(house.engine, keys_file(house)).generation
    older(house, AGO_S)
    return made


def older(house: House, seconds: int) -> None:
    """Let all generations have begun so much earlier."""
    keys = sealing_keys.read(keys_file(house))
    sealing_keys.write(keys_file(house), [replace(key, seals_from=key.seals_from - seconds) for key in keys])


def sealed_under(house: House) -> dict[str, dict[int, int]]:
    """Place -> generation -> how many values, without zeros."""
    generations = [key.generation for key in sealing_keys.read(keys_file(house))]
    with house.engine.connect() as connection:
        found = dict(sealed_values.in_sql(connection, generations))
    found |= sealed_values.in_redis(house.redis)
    told = {place: {g: n for g, n in counted.items() if n} for place, counted in found.items()}
    return {place: counted for place, counted in told.items() if counted}


def lay_aside(house: House, firm: int = 1) -> None:
    """Everything in a firm's outbox becomes a dead letter."""
    outbox = Outbox(house.redis, firm)
    rows, _ = outbox.look(100)
    for id_, _ in rows:
        outbox.suspects.failed(id_, "a test", NONE, others_pass=True)
