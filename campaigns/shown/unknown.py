"""Texts and calls of which nobody knows whether they left, as they are listed."""

from __future__ import annotations

from typing import Any

from campaigns.context import Desk
from campaigns.errors import Refused
from campaigns.shown import views
from campaigns.shown.call_results import unknown_calls
from campaigns.shown.results import unknown_texts
from gateway.domain.consent.word import Channel
from gateway.store.offers.blasts import Blast


def unknown(desk: Desk, blast: Blast, *, after: str, most: int) -> dict[str, list[dict[str, Any]]]:
    """`texts`, or `calls` of a blast that calls. `after`: what `after_of` says of the last page, or empty."""
    if blast.channel == Channel.CALL:
        behind = desk.shopper(blast.firm_id, after) if after else 0
        if behind is None:
            raise Refused("after: as the last of the page before has it")
        calls = unknown_calls(desk.engine, blast, after=behind, most=most)
        return {"calls": [_told(desk, blast, one.shopper_id, one.at) for one in calls]}
    texts = unknown_texts(desk.engine, blast, after=after, most=most)
    return {
        "texts": [{**_told(desk, blast, one.shopper_id, one.at), "message": one.message_id} for one in texts]
    }


def after_of(row: dict[str, Any]) -> str:
    """Where the next page begins, from the last row of one."""
    return str(row.get("message", row["reference"]))


def _told(desk: Desk, blast: Blast, shopper_id: int, at: int) -> dict[str, Any]:
    return {"reference": desk.reference(blast.firm_id, shopper_id), "at": views.time(at)}
