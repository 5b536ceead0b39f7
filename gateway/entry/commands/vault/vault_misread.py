"""`undercap vault misread`: who is stored under a number that was read wrongly; nothing is changed."""

from __future__ import annotations

import click

from config.logging import mask
from gateway.domain.people.regions import regions_of
from gateway.entry.commands import tables
from gateway.entry.commands.opened import backing
from gateway.entry.commands.tables import Listing
from gateway.entry.wiring.backing import Backing
from gateway.store.codes import catalog as catalog_store
from gateway.store.sql import database
from gateway.store.vault import access_report
from gateway.usecases.firms.set_up import Refused
from gateway.usecases.people.misread import PURPOSE
from gateway.usecases.people.misread import misread as find


def _served(opened: Backing) -> tuple[str, ...]:
    links = {link.default_region for link in opened.settings.links}
    own = regions_of(catalog_store.load(opened.engine, opened.vault).campaigns.values())
    return tuple(sorted({*links, *own} - {""}))


@click.command()
@click.option("--region", "regions", multiple=True, help="ISO 3166. Default: of all links and campaigns.")
@tables.JSON
def misread(regions: tuple[str, ...], as_json: bool) -> None:
    """List people whose stored number is none, or was a national one, with what it would be read as.

    Every number is opened for that, and masked where it is told. Nothing is changed. Somebody of the list is
    erased by id, `undercap vault erase --shopper ID`; who texts again is entered under the right number.
    """
    listing = Listing("misread", "shopper", "number", "why", "read as", "known as")
    with backing() as opened:
        served = regions or _served(opened)
        if not served:
            raise Refused("no link and no campaign names a country: say --region, such as UA")
        with database.writing(opened.engine) as connection:
            access_report.note(connection, access_report.this_operator(), PURPOSE, None)
        for one in find(opened.engine, opened.vault, served):
            read_as = mask(one.read_as) if one.read_as else None
            listing.add(
                shopper=one.shopper_id,
                number=mask(one.number),
                why=one.why.value,
                read_as=read_as,
                known_as=one.other,
            )
    tables.show(listing, as_json=as_json, countries=list(served))
