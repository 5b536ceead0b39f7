"""Whether a clause says no, in whatever words. Pure, total, in time linear in its words.

What speaks against a refusal is asked first: a question, a condition, "do not stop". Then the rules one by
one, so that it can be told why a clause is a refusal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.domain.reading.refusals.role import Role
from gateway.domain.reading.refusals.roles import (
    FILLING,
    Clause,
    at_place,
    has,
    roles_of,
    shape_of,
    shapes_of,
)
from gateway.domain.reading.refusals.rules import RULES
from gateway.domain.reading.spelling import loose

MOST_WORDS: Final = 60  # of a clause that are looked at
_LI: Final = roles_of(shape_of("ли"))
_CANNOT: Final = shapes_of("cant|cannot|wont|couldnt|without|non|нон")


def is_keyword(words: Sequence[str]) -> bool:
    """Whether all words (folded) but filling are keywords that refuse by themselves."""
    core = [w for w in map(loose, words) if w not in FILLING]
    return bool(core) and all(Role.STOP in roles_of(word) for word in core)


def is_tag(words: Sequence[str]) -> bool:
    """Whether a clause asks for no more than agreement: "ok?", "понятно?"."""
    return bool(words) and all(Role.TAG in roles_of(loose(word)) for word in words)


def grumbles(words: Sequence[str]) -> bool:
    """Whether a clause says that somebody has had enough."""
    return any(Role.FED_UP in roles_of(loose(word)) for word in words)


def about_goods(words: Sequence[str]) -> bool:
    """Whether a sentence is about prizes, codes or points."""
    return any(Role.GOODS in roles_of(loose(word)) for word in words)


def instructs(words: Sequence[str]) -> bool:
    """Whether a clause tells how to refuse: "send STOP", "ТОҚТА деп жіберіңіз"."""
    clause = [roles_of(loose(word)) for word in words[:MOST_WORDS]]
    return any(
        Role.STOP in here
        and ((at and Role.SEND in clause[at - 1]) or Role.BEHIND in at_place(clause, at + 1))
        for at, here in enumerate(clause)
    )


def refuses(words: Sequence[str], *, asks: bool = False) -> bool:
    """Whether a clause says no. `words`: folded; `asks`: it ends with a question mark."""
    shapes = [loose(word) for word in words[:MOST_WORDS]]
    clause = [roles_of(shape) for shape in shapes]
    if not clause:
        return False
    for at, shape in enumerate(shapes):  # "no longer" negates
        if shape == "LONGER" and at and shapes[at - 1] == "NO":
            clause[at] |= {Role.NOT}
    if has(clause, Role.IF):
        return _threatens(clause)
    if asks or _opens_question(clause):
        return _requests(clause) and _says_no(clause, shapes)
    return _says_no(clause, shapes)


def takes_back(words: Sequence[str]) -> bool:
    """Whether a clause asks us not to stop."""
    shapes = [loose(word) for word in words[:MOST_WORDS]]
    return _takes_back([roles_of(shape) for shape in shapes], shapes)


def _says_no(clause: Clause, shapes: list[str]) -> bool:
    if _takes_back(clause, shapes):
        return False
    return any(rule(clause, shapes) for rule in RULES)


def _opens_question(clause: Clause) -> bool:
    first = clause[0]
    if Role.ASKS not in first or Role.NOT in at_place(clause, 1) or Role.QUIT in first:
        return any(Role.ASKS in here for here in clause[1:3]) and Role.NOT not in clause[0] and _li(clause)
    return not has(clause, Role.FED_UP)


def _li(clause: Clause) -> bool:
    """Asks by a particle: "хватит ли"."""
    return _LI in clause


def _requests(clause: Clause) -> bool:
    """A question that asks us to stop, or how one does."""
    if has(clause, Role.LATER):
        return False
    if any(Role.POLITE in here for here in clause[:4]):
        return True
    asks_how = any(Role.HOW in here for here in clause[:3])
    return asks_how and (has(clause, Role.LEAVE) or has(clause, Role.REMOVE) or has(clause, Role.QUIT))


def _threatens(clause: Clause) -> bool:
    """If you do not stop …"""
    at = next(i for i, here in enumerate(clause) if Role.IF in here)
    no = next((i for i in range(at + 1, min(at + 4, len(clause))) if Role.NOT in clause[i]), None)
    return no is not None and Role.QUIT in at_place(clause, no + 1)


def _takes_back(clause: Clause, shapes: list[str]) -> bool:
    """Do not stop, never unsubscribe me, не хочу отписываться."""
    stops = (Role.STOP, Role.QUIT, Role.REMOVE, Role.LEAVE, Role.WITHDRAW, Role.FORGET)
    between = (Role.WILL, Role.NEED, Role.SELF)
    for at, here in enumerate(clause):
        if Role.NOT not in here and shapes[at] not in _CANNOT:
            continue
        for behind in range(at + 1, min(at + 4, len(clause))):
            if Role.LEAVE in clause[behind] and Role.NOT not in here:
                break  # whoever cannot unsubscribe wants to
            if any(role in clause[behind] for role in stops) or shapes[behind] == "OPT":
                return True
            if not any(role in clause[behind] for role in between) and shapes[behind] not in FILLING:
                break
    return False
