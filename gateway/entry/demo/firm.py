"""The demo: a firm with a running campaign and a few codes, made once for `undercap up --demo`."""

from __future__ import annotations

import json
import os
import time
from itertools import islice

from sqlalchemy import select

from config.settings import Settings
from gateway.entry.demo.numbers import SHORT_NUMBER
from gateway.entry.wiring.backing import open_backing
from gateway.store.sql import schema
from gateway.usecases.codes import issue_codes
from gateway.usecases.firms import set_up
from gateway.usecases.firms.set_up import NewCampaign

SLUG = "demo"
COUNT = 100_000
SHOWN = 24
_DAY_MS = 86_400_000


def prepare(settings: Settings) -> None:
    """Make the demo firm, campaign and codes if they are not there; a second call changes nothing."""
    file = settings.state_dir / "demo.json"
    if file.exists():
        return
    backing = open_backing(settings)
    now = int(time.time() * 1000)
    with backing.engine.connect() as connection:
        known = connection.scalar(select(schema.firm.c.id).where(schema.firm.c.slug == SLUG))
        campaign = connection.scalar(select(schema.campaign.c.id).where(schema.campaign.c.firm_id == known))
    if known is None:
        set_up.add_firm(backing.engine, SLUG, "Demo Drinks")
    if campaign is None:
        campaign = set_up.add_campaign(
            backing.engine,
            NewCampaign(
                firm=SLUG,
                name="Summer caps",
                short_numbers=(SHORT_NUMBER,),
                points=10,
                language="uk",
                timezone="Europe/Kyiv",
                starts_at=now - _DAY_MS,
                ends_at=now + 365 * _DAY_MS,
                texts={},
            ),
        )
    series = issue_codes.issue(
        backing.engine,
        backing.vault,
        campaign=campaign,
        count=COUNT,
        alphabet="digits",
        odds=settings.codes.odds,
        length=None,
    )
    content = {
        "short_number": SHORT_NUMBER,
        "firm": "Demo Drinks",
        "campaign": "Summer caps",
        "codes": [code for _, code in islice(series.codes(), SHOWN)],
    }
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(content, out, ensure_ascii=False, indent=1)
    backing.engine.dispose()
