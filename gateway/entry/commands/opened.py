"""What the operator's commands share: backing opened, refusals told in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config import settings as settings_module
from gateway.entry import demo_settings
from gateway.entry.backing import Backing, open_backing
from gateway.store import catalog, presence
from gateway.store.access_log import AccessLog
from gateway.usecases.set_up import Refused


@contextmanager
def backing() -> Iterator[Backing]:
    """The opened backing; a refusal or a Redis that is away ends the command with one line.

    What the command opens stands in the access log under its name.
    """
    opened = open_backing(demo_settings.joined(settings_module.load()))
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
        raise click.ClickException(
            f"the database does not take it ({type(err).__name__}); see `undercap doctor`"
        ) from err
    except OverflowError as err:  # SQLite's driver, of what is no 64-bit number
        raise click.ClickException("a number is too large to be an id") from err
    except OSError as err:
        raise click.ClickException(f"{err.filename or 'file'}: {err.strerror}") from err
    finally:
        opened.engine.dispose()
        opened.redis.close()


def publish(opened: Backing, firm_id: int) -> None:
    """Make the running processes follow a change of a firm."""
    presence.check(opened.engine, opened.redis, opened.deployment)
    catalog.publish(opened.engine, opened.redis, firm_id)


def moment(text: str) -> int:
    """An ISO 8601 date or time as ms since 1970; without a zone it is UTC. Raises click.BadParameter."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError as err:
        raise click.BadParameter(
            f"{text!r} is not a date such as 2026-05-01 or 2026-05-01T09:00+03:00"
        ) from err
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return int(parsed.timestamp() * 1000)


def shown(ms: int) -> str:
    """A time for a table."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
