"""What the operator's commands share: backing opened, refusals told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Final

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config import settings as settings_module
from gateway.domain.written import instants, moments
from gateway.domain.written.moments import NoMoment
from gateway.entry.demo import environment
from gateway.entry.wiring.backing import Backing, open_backing
from gateway.store.codes import catalog
from gateway.store.integrity import redis_state
from gateway.store.sql.faults import Blame, blame, word
from gateway.store.vault.access_log import AccessLog
from gateway.usecases.firms.set_up import Refused

_NO_ID: Final = "a number is too large to be an id"


@contextmanager
def backing() -> Iterator[Backing]:
    """The opened backing; a refusal or a Redis that is away ends the command with one line.

    What the command opens stands in the access log under its name.
    """
    opened = open_backing(environment.joined(settings_module.load()))
    name = click.get_current_context().command_path.partition(" ")[2]
    try:
        with AccessLog(opened.engine, opened.vault, name).kept():
            yield opened
    except Refused as err:
        raise click.ClickException(str(err)) from err
    except RedisError as err:
        raise click.ClickException(
            f"Redis does not answer ({type(err).__name__}): is `undercap up` running? "
            "What was changed in SQL takes effect when it is back."
        ) from err
    except SQLAlchemyError as err:
        raise click.ClickException(_told(err)) from err
    except OverflowError as err:  # SQLite's driver, of what is no 64-bit number
        raise click.ClickException(_NO_ID) from err
    except UnicodeEncodeError as err:
        raise click.ClickException("a text holds half a character, which no database takes") from err
    except OSError as err:
        raise click.ClickException(f"{err.filename or 'file'}: {err.strerror}") from err
    finally:
        opened.engine.dispose()
        opened.redis.close()


def _told(err: SQLAlchemyError) -> str:
    if getattr(getattr(err, "orig", None), "sqlstate", None) == "22003":
        return _NO_ID
    if blame(err) is Blame.ROW:
        return f"the database does not take it ({word(err)}); see `undercap doctor`"
    return f"the database is away, or takes nothing now ({word(err)}): try again; see `undercap doctor`"


def publish(opened: Backing, firm_id: int) -> None:
    """Make the running processes follow a change of a firm."""
    redis_state.check(opened.engine, opened.redis, opened.deployment)
    catalog.publish(opened.engine, opened.redis, firm_id)


def beginning(text: str, zone: tzinfo = UTC) -> int:
    """As gateway.domain.written.moments has it, for an option. Raises click.BadParameter."""
    try:
        return moments.beginning(text, zone)
    except NoMoment as err:
        raise click.BadParameter(str(err)) from err


def end(text: str, zone: tzinfo = UTC) -> int:
    """As gateway.domain.written.moments has it, for an option. Raises click.BadParameter."""
    try:
        return moments.end(text, zone)
    except NoMoment as err:
        raise click.BadParameter(str(err)) from err


def shown(ms: int) -> str:
    """A time for a table."""
    return instants.utc(ms).strftime("%Y-%m-%d %H:%M")
