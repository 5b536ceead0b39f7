"""By which link a text leaves that did not come by one: prefix of the destination, weight, health. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple


class Health(IntEnum):
    """How a link stands; a better one is preferred whatever the weights are."""

    DEAD = 0  # no bind, or nobody holds it
    THROTTLED = 1  # the SMSC takes less than it could
    WELL = 2


class Route(NamedTuple):
    """A link. `prefixes`: of the E.164 numbers that it carries; none: all. `weight`: its share of texts."""

    link: str
    prefixes: tuple[str, ...] = ()
    weight: int = 1


def fit(routes: Sequence[Route], number: str) -> list[Route]:
    """The links that carry `number` (E.164 digits) with the longest matching prefix, in their order."""
    by_length: dict[int, list[Route]] = {}
    for route in routes:
        lengths = [len(prefix) for prefix in route.prefixes or ("",) if number.startswith(prefix)]
        if lengths:
            by_length.setdefault(max(lengths), []).append(route)
    return by_length[max(by_length)] if by_length else []


def choose(routes: Sequence[Route], number: str, health: Mapping[str, Health], draw: float) -> str | None:
    """The link for a text; None where no link carries the number.

    `health`: by link, what is missing is dead. `draw`: a random number from 0 up to 1, which spreads texts
    over equals by their weights. Where all that carry the number are dead, the one that would have been
    chosen: its queue keeps the text.
    """
    carrying = fit(routes, number)
    if not carrying:
        return None
    best = max(health.get(route.link, Health.DEAD) for route in carrying)
    equals = [route for route in carrying if health.get(route.link, Health.DEAD) == best]
    point = draw * sum(route.weight for route in equals)
    for route in equals:
        point -= route.weight
        if point < 0:
            return route.link
    return equals[-1].link


def next_allowed(fallbacks: Sequence[str], health: Mapping[str, Health]) -> str | None:
    """The link that takes over a dead one's texts: the first that is well, else the first that lives."""
    for wanted in (Health.WELL, Health.THROTTLED):
        for link in fallbacks:
            if health.get(link, Health.DEAD) == wanted:
                return link
    return None
