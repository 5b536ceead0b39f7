"""What the marketer's commands share: a firm's desk, refusals in lines that say what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import click

from campaigns.context import Desk
from campaigns.errors import Refused, Unknown
from gateway.entry.commands.opened import backing
from gateway.entry.wiring.backing import Backing
from gateway.entry.wiring.campaigns import blast_desk
from gateway.store.codes import catalog as catalog_store
from gateway.usecases.firms import set_up

FIRM = click.option("--firm", required=True, metavar="SLUG")


class Marketing(NamedTuple):
    """A firm's desk."""

    desk: Desk
    firm_id: int
    opened: Backing

    def zone(self, campaign_id: int) -> tzinfo:
        """Where a campaign's days begin; UTC where there is no such campaign, which is refused elsewhere."""
        campaign = self.desk.catalog().campaigns.get(campaign_id)
        return UTC if campaign is None else ZoneInfo(campaign.timezone)


@contextmanager
def marketing(firm: str) -> Iterator[Marketing]:
    """The desk of the firm of this slug; refusals end the command."""
    with backing() as opened:
        with opened.engine.connect() as connection:
            firm_id = set_up.firm_id(connection, firm)
        catalog = catalog_store.load(opened.engine, opened.vault)
        try:
            yield Marketing(blast_desk(opened, lambda: catalog), firm_id, opened)
        except Refused as err:
            raise click.ClickException("\n  ".join(("It cannot be done as it is:", *err.why))) from err
        except Unknown as err:
            raise click.ClickException(f"{err}: see `undercap blast list --firm {firm}`") from err


def result_rows(results: Mapping[str, Any]) -> dict[str, Any]:
    """Results as campaigns.shown.views has them, in rows; texts of a blast that calls in one."""
    rows = dict(results)
    texts, calls = rows.pop("texts_by_state"), rows.pop("calls", None)
    return {**texts, **rows} if calls is None else {**calls, "texts": texts, **rows}
