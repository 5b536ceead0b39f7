"""Editing a campaign: what may be otherwise, held against what is printed and credited already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple
from zoneinfo import available_timezones

from sqlalchemy import Connection, Engine, delete, exists, func, insert, select

from config.texts import LANGUAGES
from gateway.domain.codes.codespace import capacity
from gateway.domain.offers.blast import ENDED
from gateway.store.codes.series import live
from gateway.store.sql import database, schema
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import Refused, TextLimit

_COLUMNS = ("name", "language", "timezone", "starts_at", "ends_at", "texts", "asks_consent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be otherwise; None: it stays as it is. Times in ms since 1970 UTC.

    `revision`: of the campaign that was looked at. `short_numbers`: all that it is to have. `texts`: all of
    its own wording, in the place of what it had.
    """

    revision: int
    name: str | None = None
    short_numbers: tuple[str, ...] | None = None
    points: int | None = None
    language: str | None = None
    timezone: str | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    texts: dict[str, dict[str, Any]] | None = None
    asks_consent: bool | None = None


class Edited(NamedTuple):
    """Whose campaign it is, and its revision from now on."""

    firm_id: int
    revision: int


def edit(engine: Engine, campaign: int, changes: Changes, *, odds: int, limit: TextLimit, now: int) -> Edited:
    """Change a campaign, all or nothing; publishing to Redis follows.

    `odds`: one guess in so many may hit. `now`: ms since 1970. Raises Refused with all that is wrong, also
    where somebody has changed it since it was looked at; TextError for words that cannot be used.
    """
    with database.writing(engine) as connection:
        # As in issuing: what is free of a space, and what a number reaches, still holds when it is used.
        database.take_turn(connection, "code spaces")
        row = set_up.locked(connection, campaign)
        _refuse_unseen(row, changes)
        why = [*_faults(connection, row, changes, now), *_number_faults(connection, row, changes)]
        if why:
            raise Refused("\n".join(why))
        values = _values(row, changes)
        _check_words(row, values, limit)
        if changes.points is not None and changes.points != _points(connection, row):
            values["rule_version"] = set_up.new_rule(connection, row, changes.points)
        numbers = _renumbered(connection, row, changes)
        if not values and not numbers:
            return Edited(row.firm_id, row.revision)
        revision = set_up.change(connection, row, **values)
        if row.ends_at <= now:  # its codes can be redeemed again
            _check_odds(connection, campaign, odds, now)
    return Edited(row.firm_id, revision)


def _refuse_unseen(row: Any, changes: Changes) -> None:
    if row.state == "ended":
        raise Refused(f"campaign {row.id} is ended for good; add another one")
    if row.revision != changes.revision:
        raise Refused(
            f"campaign {row.id} was changed meanwhile: it is at revision {row.revision}, you have seen "
            f"{changes.revision}. Look at it again with `undercap campaign show {row.id}`"
        )


def _faults(connection: Connection, row: Any, changes: Changes, now: int) -> Iterator[str]:
    yield from _told(set_up.check_name, changes.name)
    yield from _told(set_up.check_points, changes.points)
    yield from _told(set_up.check_short_numbers, changes.short_numbers)
    if changes.timezone is not None and changes.timezone not in available_timezones():
        yield f"{changes.timezone!r} is no IANA time zone, such as Europe/Kyiv"
    if changes.language is not None and changes.language not in LANGUAGES:
        yield f"language {changes.language!r}: one of {', '.join(LANGUAGES)}"
    starts_at, ends_at = _or(changes.starts_at, row.starts_at), _or(changes.ends_at, row.ends_at)
    if ends_at <= starts_at:
        yield "the campaign would end before it starts"
    if ends_at != row.ends_at and ends_at <= now:
        yield f"its end would be over already: `undercap campaign end {row.id}` ends it now"
    if starts_at > max(now, row.starts_at) and _has_credited(connection, row.id):
        yield (
            f"codes of campaign {row.id} were credited already, so it cannot begin later: "
            f"`undercap campaign pause {row.id}` stops it for a while"
        )


def _told(check: Any, value: Any) -> Iterator[str]:
    try:
        if value is not None:
            check(value)
    except Refused as err:
        yield str(err)


def _has_credited(connection: Connection, campaign: int) -> bool:
    """Asked by series: activations have no index by campaign."""
    a, s = schema.activation, schema.code_series
    credited = exists().where(
        a.c.space_id == s.c.space_id, a.c.serial >= s.c.first_serial, a.c.serial < s.c.first_serial + s.c.size
    )
    found = connection.scalar(select(s.c.id).where(s.c.campaign_id == campaign, credited).limit(1))
    return found is not None


def _number_faults(connection: Connection, row: Any, changes: Changes) -> Iterator[str]:
    if changes.short_numbers is None:
        return
    had, wanted = _numbers(connection, row.id), set(changes.short_numbers)
    gone, new = sorted(had - wanted), sorted(wanted - had)
    s, b = schema.code_series, schema.blast
    issued = int(connection.scalar(select(func.sum(s.c.size)).where(s.c.campaign_id == row.id)) or 0)
    if gone and issued:
        yield (
            f"{', '.join(gone)}: {issued:,} codes were issued for it, and people text them there; "
            "a campaign may get further short numbers, and keeps those for which codes were issued"
        )
    bound = connection.execute(
        select(b.c.id, b.c.short_number)
        .where(b.c.campaign_id == row.id, b.c.short_number.in_(gone))
        .where(b.c.state.not_in([state.value for state in ENDED]))
        .order_by(b.c.id)
    )
    for blast in bound:
        yield f"{blast.short_number}: blast {blast.id} leaves from it; edit, delete or cancel that first"
    for number in new:
        yield from _reach_faults(connection, row.id, number)


def _reach_faults(connection: Connection, campaign: int, number: str) -> Iterator[str]:
    """Why the codes that were issued cannot be taken at a further number: a number has one space of a form,
    and whoever shares a space with this campaign would be reached there, too.
    """
    t, s = schema.code_space, schema.code_series
    reach, at = schema.space_short_number, schema.campaign_short_number
    own = select(s.c.space_id).where(s.c.campaign_id == campaign)
    there = select(t.c.id, t.c.alphabet, t.c.length).join(reach, reach.c.space_id == t.c.id)
    others = {
        (row.alphabet, row.length): row.id
        for row in connection.execute(there.where(reach.c.number == number))
    }
    for space in connection.execute(select(t.c.id, t.c.alphabet, t.c.length).where(t.c.id.in_(own))).all():
        other = others.get((space.alphabet, space.length), space.id)
        if other != space.id:
            yield f"{number}: {space.length} {space.alphabet} are other codes there: add a new campaign"
        sharing = connection.scalars(
            select(s.c.campaign_id)
            .distinct()
            .where(s.c.space_id == space.id, s.c.campaign_id != campaign)
            .where(s.c.campaign_id.not_in(select(at.c.campaign_id).where(at.c.number == number)))
        ).all()
        if sharing:
            named = ", ".join(str(id_) for id_ in sorted(sharing))
            yield (
                f"{number}: its codes of {space.length} {space.alphabet} share their space with those of "
                f"campaign {named}, which is not at {number}: add a new campaign"
            )


def _values(row: Any, changes: Changes) -> dict[str, Any]:
    """Columns that are really otherwise."""
    said = {name: getattr(changes, name) for name in _COLUMNS}
    return {name: value for name, value in said.items() if value is not None and value != getattr(row, name)}


def _check_words(row: Any, values: dict[str, Any], limit: TextLimit) -> None:
    """Own wording as it would stand; a longer name may make an answer too long, too. Raises TextError."""
    if values.keys() & {"texts", "name", "asks_consent"}:
        texts, name = values.get("texts", row.texts or {}), values.get("name", row.name)
        asks = bool(values.get("asks_consent", row.asks_consent))
        set_up.check_texts(texts, name=name, asks_consent=asks, limit=limit)


def _points(connection: Connection, row: Any) -> int:
    r = schema.rule
    query = select(r.c.points).where(r.c.campaign_id == row.id, r.c.version == row.rule_version)
    return int(connection.execute(query).scalar_one())


def _numbers(connection: Connection, campaign: int) -> set[str]:
    c = schema.campaign_short_number
    return set(connection.scalars(select(c.c.number).where(c.c.campaign_id == campaign)))


def _renumbered(connection: Connection, row: Any, changes: Changes) -> bool:
    """Whether its numbers became other ones; the codes that were issued are taken at a further one, too."""
    if changes.short_numbers is None:
        return False
    c, s, reach = schema.campaign_short_number, schema.code_series, schema.space_short_number
    had, wanted = _numbers(connection, row.id), set(changes.short_numbers)
    connection.execute(delete(c).where(c.c.campaign_id == row.id, c.c.number.in_(had - wanted)))
    spaces = connection.scalars(select(s.c.space_id).distinct().where(s.c.campaign_id == row.id)).all()
    for number in sorted(wanted - had):
        set_up.reach(connection, row.id, row.firm_id, number)
        there = set(connection.scalars(select(reach.c.space_id).where(reach.c.number == number)))
        for space in set(spaces) - there:
            connection.execute(insert(reach).values(space_id=space, number=number))
    return had != wanted


def _check_odds(connection: Connection, campaign: int, odds: int, now: int) -> None:
    """The room of a campaign that was over may have been given to others. Raises Refused."""
    t, s = schema.code_space, schema.code_series
    own = select(s.c.space_id).where(s.c.campaign_id == campaign)
    for space in connection.execute(select(t).where(t.c.id.in_(own))).all():
        if live(connection, space.id, now) > capacity(space.alphabet, space.length, odds):
            raise Refused(
                f"while it was over, codes of others were issued in the room of its codes ({space.length} "
                f"{space.alphabet}): with both a guess would hit with more than one in {odds:,}. "
                "Add a new campaign, with new codes"
            )


def _or(value: int | None, stands: int) -> int:
    return stands if value is None else value
