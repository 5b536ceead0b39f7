"""The roles of a word, and small questions about a row of words. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from gateway.domain.reading import keywords
from gateway.domain.reading.refusals import phrases
from gateway.domain.reading.refusals.role import Role
from gateway.domain.reading.refusals.words import LEXICON
from gateway.domain.reading.spelling import folded, loose

NEAR: Final = 6  # words
Roles = frozenset[Role]
Clause = list[Roles]

# Kazakh refuses by an ending: жазба, жазбаңыз, жазбаңыздаршы; тоқтатпаңыз, тартпаймын.
_KK_NOT: Final = re.compile(
    r"([ПБM][AE])(HIЗ(ДAP|ДEP)?|HДAP|HДEP)?(ШI)?$|[ПБM][AE](IM|IДI|CIH|ГAH|ГEH|CA|CE)\w*$"
)


def shape_of(word: str) -> str:
    """A plain word in its loose shape."""
    return loose(folded(word))


def _table() -> tuple[dict[str, Roles], dict[str, Roles]]:
    """Whole words, and beginnings of words."""
    whole: dict[str, set[Role]] = {}
    begun: dict[str, set[Role]] = {}
    for role, by_language in LEXICON.items():
        for word in "|".join(by_language.values()).split("|"):
            table = begun if word.endswith("*") else whole
            table.setdefault(shape_of(word.rstrip("*")), set()).add(role)
    return ({w: frozenset(r) for w, r in whole.items()}, {w: frozenset(r) for w, r in begun.items()})


def shapes_of(listed: str) -> frozenset[str]:
    """The shapes of words cut at `|`."""
    return frozenset(map(shape_of, listed.split("|")))


_WHOLE, _BEGUN = _table()
FILLING: Final = shapes_of(keywords.FILLING)
KK_STEMS: Final = tuple(map(shape_of, phrases.KK_STEMS.split("|")))
# Longer ones first. How people write Cyrillic in Latin letters.
_SOUNDS: Final = (
    *(
        ("SHCH", "щ"),
        ("SCH", "щ"),
        ("ZH", "ж"),
        ("KH", "х"),
        ("CH", "ч"),
        ("SH", "ш"),
        ("TS", "ц"),
        ("YA", "я"),
    ),
    *(("JA", "я"), ("YU", "ю"), ("JU", "ю"), ("YE", "е"), ("JE", "е"), ("YI", "ї"), ("YO", "ё")),
)
_LATIN: Final = str.maketrans("ABVGDEZIYJKLMNOPRSTUFHCWQX", "абвгдезиийклмнопрстуфхцвкх")
_MISTYPED: Final = tuple(map(shape_of, phrases.MISTYPED.split("|")))
_SHORTEST_MISTYPED: Final = 8
_TAILS: Final = shapes_of("келеді|керек|болады|бола|ма|please|енді")


@lru_cache(maxsize=8192)
def roles_of(word: str) -> Roles:
    """The roles of a word in its loose shape."""
    found = set(_WHOLE.get(word, ()))
    for size in range(2, len(word) + 1):
        found |= _BEGUN.get(word[:size], frozenset())
    if word in FILLING and Role.WILL not in found:
        found.add(Role.THROUGH)
    if not found and word.isascii() and len(word) > 1:
        found |= _typed_in_latin(word)
    if not found and len(word) >= _SHORTEST_MISTYPED and any(_one_off(word, right) for right in _MISTYPED):
        found.add(Role.STOP)
        found.add(Role.LEAVE)
    if word.startswith(KK_STEMS) and _KK_NOT.search(word):
        found -= {Role.REMOVE, Role.QUIT, Role.STOP, Role.LEAVE, Role.WITHDRAW, Role.FORGET}
    return frozenset(found)


def _typed_in_latin(word: str) -> Roles:
    """The roles of a Cyrillic word in Latin letters: ne pyshit, bolshe."""
    for latin, cyrillic in _SOUNDS:
        word = word.replace(latin, cyrillic)
    shape = shape_of(word.translate(_LATIN))
    return _WHOLE.get(shape, frozenset()) | ({Role.THROUGH} if shape in FILLING else frozenset())


def _one_off(word: str, right: str) -> bool:
    """Whether they differ by one letter that is another, missing, too many, or swapped with the next."""
    if word[0] != right[0] or abs(len(word) - len(right)) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(word, right, strict=False)) if a != b), None)
    if at is None:
        return len(word) != len(right)
    rests = (word[at:], right[at:])
    return (
        rests[0][1:] == rests[1][1:]
        or rests[0] == rests[1][1:]
        or rests[0][1:] == rests[1]
        or (rests[0][:2] == rests[1][1::-1] and rests[0][2:] == rests[1][2:])
    )


def follows(clause: Clause, at: int, ends: tuple[Role, ...], also: Role = Role.THROUGH) -> bool:
    """Whether one of `ends` stands behind `at`, with nothing but small words, or `also`, between."""
    for here in clause[at + 1 : at + 2 + 2 * NEAR]:
        if any(role in here for role in ends):
            return True
        if Role.THROUGH not in here and also not in here:
            return False
    return False


def small(part: Clause, *also: Role) -> bool:
    """Whether there are only small words, and those of `also`."""
    return all(any(role in here for role in (Role.THROUGH, *also)) for here in part)


def rest_small(clause: Clause, start: int) -> bool:
    """Whether nothing but small words stands from `start` on."""
    return small(clause[start:], Role.TAG)


def last_word(clause: Clause, shapes: list[str]) -> int:
    """The last word that is no filling; for Kazakh, also before "келеді"."""
    at = len(clause) - 1
    while at and (shapes[at] in FILLING or shapes[at] in _TAILS):
        at -= 1
    return at


def has(clause: Clause, role: Role) -> bool:
    """Whether a word of the clause has the role."""
    return any(role in here for here in clause)


def at_place(clause: Clause, index: int) -> Roles:
    """The roles of a word; none behind the end."""
    return clause[index] if index < len(clause) else frozenset()
