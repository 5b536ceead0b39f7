"""`undercap rebuild`: makes Redis whole again from SQL, and says at what rate."""

from __future__ import annotations

import sys
import time
from typing import Final

from redis.exceptions import RedisError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from config.settings import Settings
from gateway.entry.process.process import Exit
from gateway.entry.wiring.backing import Backing, CatalogKeeper, open_backing
from gateway.store.integrity import redis_state
from gateway.store.integrity.redis_state import Presence
from gateway.store.links.lease import this_process
from gateway.store.offers import recipients
from gateway.store.redis import keys
from gateway.store.sql import database
from gateway.store.sql.faults import LedgerAway
from gateway.store.vault.access_log import AccessLog
from gateway.usecases.operations.rebuild import Busy, rebuild_firm
from gateway.usecases.operations.rebuild_caps import rebuild_caps
from gateway.usecases.settlement.answering import Desk

LOST: Final = "ledger lost"  # why blasts are cancelled
WAIT_S = 40.0  # a drain ends by itself within 30 seconds
_FOREIGN = (
    "this Redis holds the claims of another deployment: set redis.url (and its database number) to your own, "
    "or, if that deployment is gone for good, run `undercap rebuild --replace-foreign`\n"
)
_AHEAD: Final = (
    "the database is of an earlier time than Redis, so a rebuild would forget codes that are used: put the "
    "later database back; if it is lost for good, `undercap rebuild --ledger-lost` goes on\n"
)


def run(settings: Settings, *, replace_foreign: bool = False, ledger_lost: bool = False) -> int:
    """Rebuild every firm. Safe to repeat; intake gives the temporary answer meanwhile. Exit code.

    `replace_foreign`: throw away what another deployment has in this Redis. `ledger_lost`: SQL is of an
    earlier time than Redis and no later one is left.
    """
    backing = open_backing(settings)
    database.be_patient(backing.engine)
    with AccessLog(backing.engine, backing.vault, "rebuild").kept():
        return _rebuild(backing, replace_foreign=replace_foreign, ledger_lost=ledger_lost)


def _rebuild(backing: Backing, *, replace_foreign: bool, ledger_lost: bool) -> int:
    catalog = CatalogKeeper(backing).catalog
    desk = Desk(
        engine=backing.engine,
        vault=backing.vault,
        catalog=catalog,
        alias_key=backing.alias_key,
        aliases=backing.settings.aliases,
    )
    token = str(this_process())
    console = Console()

    def current(*, renew: bool = False) -> Desk:
        del renew  # it has just been read
        return desk

    try:
        standing = redis_state.look(backing.engine, backing.redis, backing.deployment)
        foreign = standing.presence is Presence.FOREIGN
        if foreign and not replace_foreign:
            sys.stderr.write(_FOREIGN)
            return Exit.FAILED
        if standing.presence is Presence.AHEAD:
            if not ledger_lost:
                sys.stderr.write(_AHEAD)
                return Exit.FAILED
            recipients.end_blasts(backing.engine, LOST, int(time.time() * 1000))
            redis_state.accept(backing.engine, backing.redis, backing.deployment)
            console.print("what Redis holds stays: codes that it knows as used, every refusal")
            console.print("blasts that were not over are cancelled: whom they have reached is not known")
            return Exit.OK
        # Before any gate opens: caps hold over all firms.
        contacts = rebuild_caps(backing.engine, backing.redis, backing.settings.clock_offset_s)
        for firm_id, name in catalog.firms.items():
            done = rebuild_firm(
                firm_id,
                backing.engine,
                backing.redis,
                current,
                backing.deployment,
                token,
                foreign=foreign,
                wait_s=WAIT_S,
            )
            rate = done.claims / done.seconds if done.seconds else 0
            console.print(
                f"{name}: {done.claims:,} claims, {done.consents:,} consents, {done.guessers:,} budgets, "
                f"{done.answers:,} answers queued again, {done.settled:,} texts settled first; "
                f"{done.seconds:.1f} s, {rate:,.0f} claims a second"
            )
        console.print(f"{contacts:,} contacts of the last week count again")
        backing.redis.set(keys.DEPLOYMENT, backing.deployment)
        backing.redis.incr(keys.CATALOG_VERSION)
    except Busy:
        sys.stderr.write("a worker or another rebuild holds a firm: all is as it was, try again later\n")
        return Exit.FAILED
    except (RedisError, OSError, LedgerAway, SQLAlchemyError) as err:
        sys.stderr.write(f"not rebuilt ({type(err).__name__}): intake stays closed; run it again\n")
        return Exit.FAILED
    return Exit.OK
