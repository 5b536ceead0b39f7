"""`undercap vault erase`: a person's privacy request, from the number to the empty files."""

from __future__ import annotations

import os
import sys

import click
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from config.logging import mask
from gateway.entry.commands.opened import backing
from gateway.entry.commands.typed_number import typed_number
from gateway.entry.wiring.backing import Backing, CatalogKeeper
from gateway.store.calls.spool import FOLDER
from gateway.store.people.scrub import Scrubbed
from gateway.store.people.shoppers import SEAL_SHOPPER
from gateway.store.sql import database, schema
from gateway.store.sql.faults import LedgerAway
from gateway.store.vault import access_report
from gateway.usecases.firms.set_up import Refused
from gateway.usecases.people.erase import PURPOSE, Erased, StillWaiting, Tools
from gateway.usecases.people.erase import erase as erase_person
from gateway.usecases.settlement.answering import Desk

LOOK_UP = "look-up"
WAIT_S = 40.0  # a worker lets a firm go within 30 seconds
EFFECT = """\
  goes:   the number and its index, language, alias, PIN, limits, a given consent, texts and parts that wait,
          wishes of calls that wait on this machine
  stays:  ledger, activations, states of messages and entries of consent, which sum up and are nobody's;
          a used code stays used; of a STOP the index alone, so that it goes on to hold
Backups, replicas and logs of operators are not reached. There is no way back."""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--shopper", type=int, metavar="ID", help="Of `undercap vault misread`; no number is asked for."
)
def erase(yes: bool, shopper: int | None) -> None:
    """Erase one person. The number is asked for, or read from standard input: never from an argument.

    \b
    Examples:
      undercap vault erase
      undercap vault erase --yes < number.txt
      undercap vault erase --shopper 17
    May be repeated; after a crash that completes it. Whoever texts again is a new person.
    """
    with backing() as opened:
        number = typed_number(opened) if shopper is None else _stored(opened, shopper)
        click.echo(f"{mask(number)}: {_known(opened, number)}")
        click.echo(EFFECT)
        if not yes:
            if not sys.stdin.isatty():
                raise click.ClickException("nobody can be asked: say --yes")
            click.confirm("Erase?", abort=True)
        try:
            done = erase_person(number, _tools(opened))
        except StillWaiting as err:
            told = "texts of this person wait to be settled and nobody settles them: is the worker running?"
            raise click.ClickException(f"{told} Run it again then; see also `undercap dead list`") from err
        except (LedgerAway, RedisError, SQLAlchemyError) as err:
            told = f"not complete ({type(err).__name__}): run it again when Redis and the database answer"
            raise click.ClickException(told) from err
    _tell(done)


def _stored(opened: Backing, shopper: int) -> str:
    """The number under which somebody is stored, whatever it is. Raises Refused."""
    s = schema.shopper
    with opened.engine.connect() as connection:
        sealed = connection.scalar(select(s.c.number).where(s.c.id == shopper, s.c.erased_at.is_(None)))
    if sealed is None:
        raise Refused(f"no shopper {shopper} who is not erased: see `undercap vault misread`")
    return opened.vault.open(SEAL_SHOPPER, sealed, counted_for=PURPOSE).decode()


def _known(opened: Backing, number: str) -> str:
    """What stands of them; the look-up is noted before it is told."""
    s, a, b = schema.shopper, schema.activation, schema.balance
    with database.writing(opened.engine) as connection:
        id_ = connection.scalar(select(s.c.id).where(s.c.key == opened.vault.index(number)))
        access_report.note(connection, access_report.this_operator(), LOOK_UP, id_)
        if id_ is None:
            return "not known to the ledger"
        codes = connection.scalar(select(func.count()).select_from(a).where(a.c.shopper_id == id_))
        points = connection.scalar(select(func.sum(b.c.points)).where(b.c.shopper_id == id_))
    return f"shopper {id_}, {codes or 0:,} activations, {points or 0:,} points"


def _tools(opened: Backing) -> Tools:
    keeper = CatalogKeeper(opened)

    def current(*, renew: bool = False) -> Desk:
        catalog = keeper.refresh() if renew else keeper.catalog
        return Desk(
            engine=opened.engine,
            vault=opened.vault,
            catalog=catalog,
            alias_key=opened.alias_key,
            aliases=opened.settings.aliases,
        )

    return Tools(
        engine=opened.engine,
        redis=opened.redis,
        vault=opened.vault,
        desks=current,
        who=access_report.this_operator(),
        regions={link.name: link.default_region for link in opened.settings.links},
        state=opened.settings.state_dir,
        token=f"erase-{os.urandom(8).hex()}",
        wait_s=WAIT_S,
    )


def _tell(done: Erased) -> None:
    went = (
        f"{done.answers} answers, {done.dead_letters} dead letters, {done.long_texts} unfinished long texts, "
        f"{done.wishes} wishes of calls"
    )
    known = "erased" if done.known else "nothing was known in SQL; what Redis kept is gone"
    click.echo(f"{known}; emptied: {went}; STOPs that go on to hold: {done.stops}")
    if done.unreadable:
        told = f"{done.unreadable} wishes of calls cannot be opened, and may be theirs"
        raise click.ClickException(f"{told}: remove the files in {FOLDER}/ of the state directory")
    for place, found, mend in (
        ("the database's files", done.database, "run it again when fewer processes read"),
        ("Redis' append-only file", done.append_only_file, "run BGREWRITEAOF"),
    ):
        if found is Scrubbed.ELSEWHERE:
            click.echo(f"{place} are a server's: let it vacuum, or write them anew", err=True)
        if found is Scrubbed.REMAINS:
            raise click.ClickException(f"{place} may hold a trace still: {mend}")
