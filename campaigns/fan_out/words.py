"""The text of a blast for each of its recipients, from what SQL knows of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Engine, func, select

from gateway.domain.codes.catalog import Catalog
from gateway.domain.offers.offer import CODES, FIRST, Facts, Setting, Template, render
from gateway.store.offers.audiences import Member
from gateway.store.sql import schema


def setting_of(catalog: Catalog, firm_id: int, campaign_id: int) -> Setting:
    """Names and zone, the same for all recipients. Raises KeyError for what is not on offer."""
    campaign = catalog.campaigns[campaign_id]
    return Setting(campaign=campaign.name, firm=catalog.firms[firm_id], timezone=campaign.timezone)


def written(
    engine: Engine, firm_id: int, template: Template, setting: Setting, members: Sequence[Member]
) -> list[str]:
    """The texts of a firm for members, in their order."""
    counted = _activations(engine, firm_id, template, members)
    texts = []
    for member in members:
        codes, first = counted.get(member.shopper_id, (0, None))
        facts = Facts(points=member.points, codes=codes, first=first)
        texts.append(render(template, member.language, facts, setting))
    return texts


def _activations(
    engine: Engine, firm_id: int, template: Template, members: Sequence[Member]
) -> Mapping[int, tuple[int, int]]:
    """Codes and the time of the first by shopper id, where the texts tell them."""
    if not (template.uses(CODES) or template.uses(FIRST)):
        return {}
    a = schema.activation
    query = (
        select(a.c.shopper_id, func.count(), func.min(a.c.claimed_at))
        .where(a.c.shopper_id.in_([m.shopper_id for m in members]), a.c.firm_id == firm_id)
        .group_by(a.c.shopper_id)
    )
    with engine.connect() as connection:
        return {shopper: (codes, first) for shopper, codes, first in connection.execute(query)}
