"""Every fault of the settings in one report, those behind others, too.

A rule that holds several settings against each other is asked only where each of them is of the right form.
So what is faulty is struck out, and the rest looked at once more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, Final

from pydantic import ValidationError

_MOST_ROUNDS: Final = 5
_Place = tuple[int | str, ...]


def every_fault(
    make: Callable[[dict[str, Any]], object], content: dict[str, Any], first: ValidationError
) -> list[str]:
    """A line for each fault of `content`, of which `make` raised `first`."""
    told: dict[str, None] = {}
    struck: set[_Place] = set()
    rest, found = deepcopy(content), first
    for _ in range(_MOST_ROUNDS):
        faults = [e for e in found.errors() if not (e["type"] == "missing" and e["loc"] in struck)]
        told |= dict.fromkeys(
            f"{'.'.join(map(str, e['loc'])) or 'settings'}: {_words(e['msg'])}" for e in faults
        )
        places = [place for e in faults if (place := _struck_out(rest, e["loc"]))] or [
            place for e in faults if (place := _struck_out(rest, _list_of(e["loc"])))
        ]
        if not places:
            break
        struck.update(places)
        try:
            make(rest)
        except ValidationError as err:
            found = err
        else:
            break
    return list(told)


def _words(told: str) -> str:
    return told.removeprefix("Value error, ")


def _list_of(place: _Place) -> _Place:
    """The outermost list on the way there."""
    first = next((n for n, step in enumerate(place) if isinstance(step, int)), len(place))
    return place[:first]


def _struck_out(content: Any, place: Sequence[int | str]) -> _Place | None:
    """Take out what stands there; where that was, or None where it cannot be taken out.

    The parts of a list stay where they are, since faults name them by their number.
    """
    *way, last = place or ("",)
    for step in way:
        try:
            content = content[step]
        except (KeyError, IndexError, TypeError):
            return None
    if not isinstance(content, dict) or last not in content:
        return None
    del content[last]
    return tuple(place)
