"""Import of consents and refusals that were given elsewhere, with their proof. Refusals win, always.

A refusal counts from the moment of its first import, so it is later than any yes that stood then. A consent
is left out where its person refuses in the same file, or has refused before. The same line again is the same
entry.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gateway.domain.consent.consent_file import Line
from gateway.domain.consent.word import Channel, Consent
from gateway.store.consent import consents
from gateway.store.consent.consents import Entry
from gateway.store.consent.redis_words import NOW, Place, Put
from gateway.store.integrity import watermark
from gateway.store.people import shoppers
from gateway.store.sql import database, schema
from gateway.usecases.consent.consents import ConsentDesk

AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is the same for a whole file. `how`: how the persons said it; `wording`: what they were shown."""

    firm_id: int
    how: str
    wording: str
    actor: str


@dataclass(slots=True, kw_only=True)
class Imported:
    """Counts of lines: recorded now, known already, and consents that a refusal overrules."""

    given: int = 0
    withdrawn: int = 0
    known: int = 0
    overruled: int = 0


async def import_lines(lines: Sequence[Line], source: Source, desk: ConsentDesk) -> Imported:
    """Import lines; may be repeated, and interrupted anywhere. Raises RedisError, SQLAlchemyError."""
    done = Imported()
    refusals = [line for line in lines if line.state is Consent.WITHDRAWN]
    refused = _refused_here(lines)
    for batch in _batches(refusals):
        known = await asyncio.to_thread(_known, batch, source, desk)  # a line that is known keeps its time
        # In force before they are written down, as every no is; and once more, should Redis be rebuilt.
        place = await _put(
            [(line, known.get(_source_id(line, source, desk), NOW)) for line in batch], source, desk
        )
        dated = [(line, known.get(_source_id(line, source, desk), place.moment)) for line in batch]
        written = await asyncio.to_thread(_record, dated, known, place, source, desk)
        await _put(dated, source, desk)
        done.withdrawn += written
        done.known += len(batch) - written
    consenting = [line for line in lines if line.state is Consent.GIVEN]
    for batch in _batches(consenting):
        free = await _not_refused(_free(batch, refused), source, desk)
        place = await desk.words.reserve(source.firm_id)
        dated = [(line, min(line.said_at, place.moment)) for line in free]
        known = await asyncio.to_thread(_known, free, source, desk)
        written = await asyncio.to_thread(_record, dated, known, place, source, desk)
        await _put(dated, source, desk)
        done.given += written
        done.known += len(free) - written
        done.overruled += len(batch) - len(free)
    return done


async def foretell(lines: Sequence[Line], source: Source, desk: ConsentDesk) -> Imported:
    """What `import_lines` would count now; changes nothing. Raises RedisError, SQLAlchemyError."""
    told = Imported()
    refusals = [line for line in lines if line.state is Consent.WITHDRAWN]
    refused = _refused_here(lines)
    told.withdrawn = await _new(refusals, source, desk)
    told.known = len(refusals) - told.withdrawn
    for batch in _batches([line for line in lines if line.state is Consent.GIVEN]):
        free = await _not_refused(_free(batch, refused), source, desk)
        written = await _new(free, source, desk)
        told.given += written
        told.known += len(free) - written
        told.overruled += len(batch) - len(free)
    return told


async def _new(lines: Sequence[Line], source: Source, desk: ConsentDesk) -> int:
    """How many entries lines would become."""
    new: set[str] = set()
    for batch in _batches(lines):
        new |= {_source_id(line, source, desk) for line in batch}
        new -= (await asyncio.to_thread(_known, batch, source, desk)).keys()
    return len(new)


def _refused_here(lines: Sequence[Line]) -> set[tuple[str, Channel]]:
    """Who refuses what in the same file."""
    refusals = (line for line in lines if line.state is Consent.WITHDRAWN)
    return {(line.number, channel) for line in refusals for channel in line.channels}


def _free(lines: Sequence[Line], refused: set[tuple[str, Channel]]) -> list[Line]:
    return [line for line in lines if not any((line.number, c) in refused for c in line.channels)]


async def _not_refused(lines: Sequence[Line], source: Source, desk: ConsentDesk) -> list[Line]:
    """Those whose persons have not refused any of the channels, whenever that was."""
    stands = await desk.words.read_many(source.firm_id, [desk.vault.index(line.number) for line in lines])
    return [
        line
        for line, said in zip(lines, stands, strict=True)
        if not any(said[channel].consent is Consent.WITHDRAWN for channel in line.channels)
    ]


async def _put(dated: Sequence[tuple[Line, int]], source: Source, desk: ConsentDesk) -> Place:
    puts = [Put(desk.vault.index(line.number), line.channels, line.state, at) for line, at in dated]
    place, _ = await desk.words.put(source.firm_id, puts)
    return place


def _known(lines: Sequence[Line], source: Source, desk: ConsentDesk) -> dict[str, int]:
    """When lines that were imported before were dated, by their source."""
    c = schema.consent_entry
    sources = [_source_id(line, source, desk) for line in lines]
    query = select(c.c.message_id, c.c.said_at)
    query = query.where(c.c.message_id.in_(sources), c.c.firm_id == source.firm_id)
    with desk.engine.connect() as connection:
        return {row.message_id: row.said_at for row in connection.execute(query)}


def _record(
    dated: Sequence[tuple[Line, int]],
    known: Mapping[str, int],
    place: Place,
    source: Source,
    desk: ConsentDesk,
) -> int:
    """Enter the persons and append what is new; how many lines that were."""
    if not dated:
        return 0
    vault = desk.vault
    keys = [vault.index(line.number) for line, _ in dated]
    with database.writing(desk.engine) as connection:
        shoppers.enter(
            connection,
            [
                shoppers.row(vault, key=key, number=line.number.encode(), language=None, at=at)
                for key, (line, at) in zip(keys, dated, strict=True)
            ],
        )
        s = schema.shopper
        found = connection.execute(select(s.c.key, s.c.id).where(s.c.key.in_(keys)))
        ids = {row.key: row.id for row in found}
        sources = [_source_id(line, source, desk) for line, _ in dated]
        rows = [
            consents.row(_entry(line, channel, at, source, id_), ids[key])
            for key, id_, (line, at) in zip(keys, sources, dated, strict=True)
            if id_ not in known
            for channel in line.channels
        ]
        consents.record(connection, rows)
        shoppers.join(connection, source.firm_id, sorted({row["shopper_id"] for row in rows}))
        watermark.note_changes(connection, source.firm_id, place.changes)
        return len(set(sources) - known.keys())


def _entry(line: Line, channel: Channel, at: int, source: Source, id_: str) -> Entry:
    return Entry(
        firm_id=source.firm_id,
        channel=channel,
        state=line.state,
        how="import",
        source=id_,
        wording=source.wording or None,
        proof=f"{source.how}: {line.proof}" if line.proof else source.how,
        actor=source.actor,
        said_at=at,
    )


def _source_id(line: Line, source: Source, desk: ConsentDesk) -> str:
    """The same line again is the same entry."""
    key = desk.vault.index(line.number)
    said = f"{'+'.join(line.channels)}|{line.state}|{line.said_at}|{line.proof}|{source.how}"
    return desk.vault.digest(f"import|{source.firm_id}|{key}|{said}")


def _batches(lines: Sequence[Line]) -> Iterator[Sequence[Line]]:
    return (lines[at : at + AT_ONCE] for at in range(0, len(lines), AT_ONCE))
