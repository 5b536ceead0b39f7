"""Setting up firms and campaigns. SQL is written first; publishing to Redis follows and may be repeated."""

from __future__ import annotations

import re
import secrets
import time
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from config import texts
from gateway.domain.answers.longest import Extremes, TooLong, too_long
from gateway.store.sql import database, schema
from gateway.store.vault.vault import Vault

API_KEY_BYTES = 24
MOST_NAME = 100
MOST_KEY_NAME = 40
MOST_POINTS = 1_000_000
EXAMPLE_WIDTH = 400
MOST_SHOWN = 10  # characters outside GSM 03.38; with more the text is in another script
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_SHORT_NUMBER = re.compile(r"[0-9]{3,15}", re.ASCII)
STATES = {"pause": ("running", "paused"), "resume": ("paused", "running"), "end": (None, "ended")}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextLimit:
    """Segments that an answer in a campaign's own words may take. `plain`: all links replace look-alikes."""

    segments: int = 4
    plain: bool = True


_USUAL_LIMIT = TextLimit()


class Refused(Exception):
    """What was asked for cannot be; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCampaign:
    """Times in ms since 1970 UTC; `texts`: language -> key -> own wording. `asks_consent`: see Campaign."""

    firm: str
    name: str
    short_numbers: tuple[str, ...]
    points: int
    language: str
    timezone: str
    starts_at: int
    ends_at: int
    texts: dict[str, dict[str, Any]]
    asks_consent: bool = False


def add_firm(engine: Engine, slug: str, name: str) -> int:
    """A new firm; its id. Raises Refused when the slug is taken or cannot be one."""
    if not _SLUG.fullmatch(slug):
        raise Refused(f"slug {slug!r}: 1 to 32 small letters, digits and hyphens, such as cola")
    check_name(name)
    with database.writing(engine) as connection:
        if connection.scalar(select(schema.firm.c.id).where(schema.firm.c.slug == slug)):
            raise Refused(f"firm {slug!r} exists already")
        made = connection.execute(insert(schema.firm).values(slug=slug, name=name, created_at=_now()))
        return int(made.inserted_primary_key[0])  # type: ignore[index]


def firm_id(connection: Connection, slug: str) -> int:
    """The id of a firm by its slug. Raises Refused."""
    found = connection.scalar(select(schema.firm.c.id).where(schema.firm.c.slug == slug))
    if found is None:
        raise Refused(f"no firm {slug!r}: see `undercap firm list`, or add it with `undercap firm add`")
    return int(found)


def new_api_key(engine: Engine, vault: Vault, slug: str, name: str | None = None) -> str:
    """A new API key of a firm, shown once; only its digest is kept. `name`: which till or page it is for.

    Raises Refused.
    """
    if name is not None:
        check_name(name, MOST_KEY_NAME)
    key = "uc_" + secrets.token_urlsafe(API_KEY_BYTES)
    with database.writing(engine) as connection:
        connection.execute(
            insert(schema.api_key).values(
                firm_id=firm_id(connection, slug),
                name=name,
                digest=vault.digest("api-key|" + key),
                created_at=_now(),
            )
        )
    return key


def revoke_api_key(engine: Engine, key_id: int) -> None:
    """Revoke a key for good; one that was revoked stays so. Raises Refused when there is none."""
    t = schema.api_key
    with database.writing(engine) as connection:
        if connection.scalar(select(t.c.id).where(t.c.id == key_id)) is None:
            raise Refused(f"no API key {key_id}: see `undercap firm keys SLUG`")
        connection.execute(
            update(t).where(t.c.id == key_id, t.c.revoked_at.is_(None)).values(revoked_at=_now())
        )


def standing_key(connection: Connection, key_id: int) -> int:
    """The id of a key that stands. Raises Refused."""
    t = schema.api_key
    found = connection.scalar(select(t.c.id).where(t.c.id == key_id, t.c.revoked_at.is_(None)))
    if found is None:
        raise Refused(f"no API key {key_id} stands: see `undercap firm tills`")
    return int(found)


def add_campaign(engine: Engine, new: NewCampaign, limit: TextLimit = _USUAL_LIMIT) -> int:
    """A new running campaign with version 1 of its rule; its id. Raises Refused, TextError."""
    if new.ends_at <= new.starts_at:
        raise Refused("the campaign ends before it starts")
    check_points(new.points)
    check_name(new.name)
    check_short_numbers(new.short_numbers)
    check_texts(new.texts, name=new.name, asks_consent=new.asks_consent, limit=limit)
    now = _now()
    with database.writing(engine) as connection:
        owner = firm_id(connection, new.firm)
        made = connection.execute(
            insert(schema.campaign).values(
                firm_id=owner,
                name=new.name,
                state="running",
                starts_at=new.starts_at,
                ends_at=new.ends_at,
                language=new.language,
                timezone=new.timezone,
                rule_version=1,
                texts=new.texts,
                asks_consent=new.asks_consent,
                created_at=now,
            )
        )
        campaign = int(made.inserted_primary_key[0])  # type: ignore[index]
        connection.execute(
            insert(schema.rule).values(campaign_id=campaign, version=1, points=new.points, created_at=now)
        )
        for number in dict.fromkeys(new.short_numbers):
            reach(connection, campaign, owner, number)
    return campaign


def change_state(engine: Engine, campaign: int, word: str) -> int:
    """`word`: pause, resume or end. The firm's id. Raises Refused when the state forbids it."""
    needed, becomes = STATES[word]
    with database.writing(engine) as connection:
        row = locked(connection, campaign)
        if row.state == "ended" or (needed and row.state != needed):
            raise Refused(f"campaign {campaign} is {row.state}; it cannot {word}")
        change(connection, row, state=becomes)
    return int(row.firm_id)


def change_points(engine: Engine, campaign: int, points: int) -> int:
    """A new version of the earning rule, for claims from now on. The firm's id. Raises Refused."""
    check_points(points)
    with database.writing(engine) as connection:
        row = locked(connection, campaign)
        if row.state == "ended":
            raise Refused(f"campaign {campaign} is ended; its points cannot change")
        change(connection, row, rule_version=new_rule(connection, row, points))
    return int(row.firm_id)


def new_rule(connection: Connection, row: Any, points: int) -> int:
    """The next version of the earning rule of a locked campaign; a version is never changed."""
    version = int(row.rule_version) + 1
    connection.execute(
        insert(schema.rule).values(campaign_id=row.id, version=version, points=points, created_at=_now())
    )
    return version


def locked(connection: Connection, campaign: int) -> Any:
    """The row of a campaign, which nobody else changes before the transaction ends. Raises Refused."""
    t = schema.campaign
    # Codes are settled meanwhile: a new activation refers to its campaign, and that is no change of it.
    query = select(t).where(t.c.id == campaign).with_for_update(key_share=True)
    row = connection.execute(query).first()
    if row is None:
        raise Refused(f"no campaign {campaign}: see `undercap campaign list`")
    return row


def change(connection: Connection, row: Any, **values: Any) -> int:
    """Columns of a locked campaign; its revision from then on."""
    t, revision = schema.campaign, int(row.revision) + 1
    connection.execute(update(t).where(t.c.id == row.id).values(**values, revision=revision))
    return revision


def check_texts(
    own_texts: dict[str, dict[str, Any]], *, name: str, asks_consent: bool, limit: TextLimit
) -> None:
    """The campaign's own words can be used, and no answer in them takes too many segments at its longest.

    The points are those that the rule may have later, not those of today. Raises TextError with every fault.
    """
    extremes = Extremes(campaign=name, points=MOST_POINTS, asks_consent=asks_consent)
    faults = []
    for language, own in own_texts.items():
        if not isinstance(own, dict):
            raise texts.TextError(f"campaign texts: {language}: a language is a table, such as [uk]")
        words = texts.load(language).override(own)
        long = too_long(words, extremes, most=limit.segments, plain=limit.plain)
        faults += [_complaint(language, answer, limit.segments) for answer in long]
    if faults:
        raise texts.TextError("\n".join(faults))


def _complaint(language: str, answer: TooLong, most: int) -> str:
    advice = "shorten it"
    if 0 < len(answer.outside) <= MOST_SHOWN:
        advice += f", or do without {' '.join(answer.outside)} (a segment then holds 153 characters, now 67)"
    return (
        f"campaign texts ({language}): {' + '.join(answer.keys)}: takes {answer.segments} segments at its "
        f"longest, {most} at most (answers.max_segments): {advice}. "
        f"At its longest: {shorten(answer.example, EXAMPLE_WIDTH, placeholder=' …')}"
    )


def check_points(points: int) -> None:
    """Raises Refused."""
    if not 0 < points <= MOST_POINTS:
        raise Refused(f"points must be between 1 and {MOST_POINTS:,}")


def check_name(name: str, most: int = MOST_NAME) -> None:
    """Names stand in texts, tables and log lines."""
    if not name.strip() or len(name) > most or not name.isprintable():
        raise Refused(f"name {name!r}: 1 to {most} characters, none of them a control character")


def check_short_numbers(numbers: tuple[str, ...]) -> None:
    """Raises Refused."""
    if not numbers:
        raise Refused("a campaign needs a short number")
    for number in numbers:
        if not _SHORT_NUMBER.fullmatch(number):
            raise Refused(f"short number {number!r}: 3 to 15 digits, such as 4040")


def reach(connection: Connection, campaign: int, owner: int, number: str) -> None:
    """Let a campaign be texted to at a number, which becomes its firm's where nobody has it."""
    known = connection.scalar(
        select(schema.short_number.c.number).where(schema.short_number.c.number == number)
    )
    if known is None:
        connection.execute(insert(schema.short_number).values(number=number, host_firm_id=owner))
    connection.execute(insert(schema.campaign_short_number).values(campaign_id=campaign, number=number))


def _now() -> int:
    return int(time.time() * 1000)
