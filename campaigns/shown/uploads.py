"""A list that a firm uploads: what of it was taken, and why the rest was not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from campaigns.context import Desk
from campaigns.errors import Refused
from gateway.store.offers.audiences import Audience

NO_REFERENCE: Final = "is no reference of your firm's: twelve letters and digits, as you were told them"
NOT_KNOWN: Final = "is of nobody whom your firm knows"


class NotTaken(NamedTuple):
    """An item that was left out. `at`: its place, from 0; it is not repeated: it may be somebody's number."""

    at: int
    why: str


class Taken(NamedTuple):
    """Of `received` items so many are of shoppers whom the firm knows, and on the list now."""

    received: int
    known: int
    refused: tuple[NotTaken, ...]


def take(desk: Desk, audience: Audience, references: Sequence[object]) -> Taken:
    """Add them to the list of an audience; one that cannot be is left out, and named. Raises Refused."""
    if not audience.definition.uploaded:
        raise Refused("the audience has no list: make one whose definition says uploaded: true")
    ids = [_shopper(desk, audience.firm_id, said) for said in references]
    wanted = {id_ for id_ in ids if id_ is not None}
    known = desk.audiences.upload(audience, sorted(wanted), desk.clock())
    refused = (
        NotTaken(at, NO_REFERENCE if id_ is None else NOT_KNOWN)
        for at, id_ in enumerate(ids)
        if id_ not in known
    )
    return Taken(len(ids), len(known), tuple(refused))


def _shopper(desk: Desk, firm_id: int, said: object) -> int | None:
    return desk.shopper(firm_id, said) if isinstance(said, str) else None
