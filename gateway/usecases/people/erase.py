"""Erasure of one person: what leads to them is shredded, what was credited stays, and is nobody's.

In this order, so that a crash anywhere is mended by doing it again: their texts that wait are settled; in one
transaction the row becomes nobody's and the erasure is noted; Redis forgets; the note loses the index; the
files are scrubbed. Who texts again meanwhile, or later, is a new person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from sqlalchemy import Engine

from gateway.domain.codes.catalog import Catalog
from gateway.domain.consent.word import Channel, Consent, Said, word_of
from gateway.domain.people.numbers import parse_msisdn
from gateway.store.calls import spool
from gateway.store.calls.spool import Kind, Wish
from gateway.store.people import erasures, redis_footprint, scrub, spool_files
from gateway.store.people.erasures import Begun, Person
from gateway.store.people.redis_footprint import Traces
from gateway.store.people.scrub import Scrubbed
from gateway.store.redis.suspects import NONE
from gateway.store.sql import database as sql
from gateway.store.texts.outbox import Outbox
from gateway.store.texts.parts import Origin
from gateway.store.vault import access_report, places
from gateway.store.vault.vault import Vault
from gateway.usecases.settlement.drain import Firm
from gateway.usecases.settlement.drain_texts import Desks
from gateway.usecases.settlement.draining import Turns

PURPOSE = "erasure"
_ASK_AGAIN_S = 0.1


class StillWaiting(Exception):
    """Texts of this person wait to be settled, and nobody settles them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an erasure needs. `who`: for the access log. `regions`: of numbers in national form, by link.

    `state`: this machine's state directory. `token`: unlike any other worker's. `wait_s`: how long the
    settlement of waiting texts may take.
    """

    engine: Engine
    redis: Redis
    vault: Vault
    desks: Desks
    who: str
    regions: Mapping[str, str]
    state: Path
    token: str
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What was done. `known`: whether there was anything in SQL; counts of what waited and went.

    `unreadable`: wishes on disk of which nobody can say whose they are.
    """

    known: bool
    answers: int
    dead_letters: int
    long_texts: int
    wishes: int
    unreadable: int
    stops: int
    database: Scrubbed
    append_only_file: Scrubbed


def erase(number: str, tools: Tools) -> Erased:
    """Erase whoever has this number (E.164 digits without plus). May be repeated, and interrupted anywhere.

    Raises StillWaiting before anything has changed or while it can be completed; LedgerAway, RedisError,
    SQLAlchemyError, OSError.
    """
    shopper = tools.vault.index(number)
    firms = list(tools.desks(renew=True).catalog.firms)
    found = Traces(tools.redis, firms, shopper)
    _settle(found, tools, bool)
    wishes, unreadable = _wishes(number, tools)
    words = [*found.words().items(), *_refused(wishes, tools.desks().catalog)]
    with sql.writing(tools.engine) as connection:
        begun = erasures.unfinished(connection, shopper)
        person = erasures.find(connection, shopper, firms)
        laid_aside = not begun and found.laid_aside()
        shopper_id = erasures.shred(connection, shopper, firms, laid_aside=laid_aside)
        last = shopper_id or (begun[-1].shopper_id if begun else None)
        stops = erasures.suppress(connection, shopper, last, words)
        begun = erasures.unfinished(connection, shopper)
        access_report.note(connection, tools.who, PURPOSE, last)
    answers = dead_letters = 0
    for one in begun:
        answers += _forget_answers(one, found, tools)
        dead_letters += found.give_to(one.nobody)
    found.forget(stops)
    redis_footprint.drop_pins(tools.redis, tools.vault, number)
    long_texts = redis_footprint.drop_parts(tools.redis, tools.vault, _from(number, tools.regions))
    for name in wishes:
        spool_files.remove(tools.state / places.WISHES.folder / name)
    with sql.writing(tools.engine) as connection:
        for one in begun:
            erasures.end(connection, one)
        again = erasures.find(connection, shopper, firms)
    return Erased(
        known=bool(begun),
        answers=answers,
        dead_letters=dead_letters,
        long_texts=long_texts,
        wishes=len(wishes),
        unreadable=unreadable,
        stops=len(stops),
        database=scrub.database(tools.engine, _octets(shopper, person, kept=bool(stops or again))),
        append_only_file=scrub.append_only_file(tools.redis),
    )


def _settle(found: Traces, tools: Tools, open_: Callable[[Mapping[int, list[str]]], bool]) -> None:
    """Settle until `open_` says of what waits that it is of no interest. A worker does it, or we do."""
    deadline, turns = time.monotonic() + tools.wait_s, Turns()
    while open_(waiting := found.waiting()):
        for firm in waiting:
            outbox = Outbox(tools.redis, firm)
            if not outbox.lease(tools.token):
                continue
            try:
                Firm(tools.redis, firm).drain(
                    tools.desks, turns, token=tools.token, observe=lambda _: None, patience=NONE
                )
            finally:
                outbox.release(tools.token)
        if time.monotonic() >= deadline:
            raise StillWaiting
        time.sleep(_ASK_AGAIN_S)


def _forget_answers(begun: Begun, found: Traces, tools: Tools) -> int:
    """Drop what waits to be sent of the old row; how many answers were emptied.

    An answer may be settled and not in its queue yet: then its text still stands in the outbox.
    """
    with tools.engine.connect() as connection:
        ids = erasures.answers_of(connection, begun.shopper_id)
    if not ids:
        return 0
    _settle(found, tools, lambda waiting: any(not ids.isdisjoint(those) for those in waiting.values()))
    unbegun = redis_footprint.drop_texts(tools.redis, ids)
    with sql.writing(tools.engine) as connection:
        erasures.not_begun(connection, unbegun)
    return len(ids)


def _wishes(number: str, tools: Tools) -> tuple[dict[str, Wish], int]:
    """What they asked for in a call and waits on this machine's disk, by file; how many nobody can read."""
    read = dict(spool.read(tools.state / places.WISHES.folder, tools.vault))
    theirs = {name: wish for name, wish in read.items() if wish and wish.callee.number == number}
    return theirs, sum(wish is None for wish in read.values())


def _refused(wishes: Mapping[str, Wish], catalog: Catalog) -> Iterator[tuple[int, str]]:
    """A no that waits on disk is a word like any other: of each firm of its short number."""
    for wish in wishes.values():
        if wish.kind is Kind.REFUSE:
            short = catalog.short_numbers.get(wish.callee.short_number)
            firms = {wish.callee.firm_id, *((short.host_firm_id, *short.firm_ids) if short else ())}
            word = word_of(dict.fromkeys(Channel, Said(Consent.WITHDRAWN, wish.at)))
            yield from ((firm, word) for firm in sorted(firms))


def _from(number: str, regions: Mapping[str, str]) -> Callable[[Origin], bool]:
    def is_theirs(origin: Origin) -> bool:
        return parse_msisdn(origin.source, origin.source_ton, regions.get(origin.link, "")) == number

    return is_theirs


def _octets(shopper: str, person: Person | None, *, kept: bool) -> list[bytes]:
    """What must not be found in the files; an index that is kept, or there anew, is there by right."""
    sealed = [] if person is None else [octets for octets in (person.number, *person.answers) if octets]
    return sealed if kept else [shopper.encode(), *sealed]
