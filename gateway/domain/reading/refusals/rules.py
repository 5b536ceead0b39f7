"""Each rule is one way to say no: a short row of roles with nothing but small words between them. Pure.

Given the roles of a clause's words and their shapes (`gateway.domain.reading.spelling.loose`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from gateway.domain.reading.refusals import phrases
from gateway.domain.reading.refusals.role import Role
from gateway.domain.reading.refusals.roles import (
    FILLING,
    KK_STEMS,
    NEAR,
    Clause,
    follows,
    has,
    last_word,
    rest_small,
    shape_of,
    shapes_of,
    small,
)

_LEAD_WORDS: Final = 4  # "STOP Cola": behind a keyword, filling not counted; a longer one is a conversation
_KK_ASKED: Final = re.compile(r"[ПБM][AE]((HIЗ(ДAP|ДEP)?|HДAP|HДEP)?(ШI)?|YIHIЗ(ДEP)?ДI|YДI|IAK)$")
_KK_CONTACT: Final = tuple(map(shape_of, phrases.KK_CONTACT.split("|")))
_PAIRS: Final = {
    (shape_of(first), shape_of(second))
    for first, second in (pair.split() for pair in phrases.PAIRS.split("|"))
}
_FIRSTS: Final = frozenset(first for first, _ in _PAIRS)
_SUBJECTS: Final = shapes_of("you|they|he|she|it|who|we")
_MAY_BE_TOLD: Final = shapes_of("do|please|must|should|to|so|and|pls|again|of|told|said")
_UNNEEDED: Final = shapes_of("керек|қажет|керегі|қажеті|kerek")
_NO_KK: Final = shapes_of("емес|жоқ|emes")
_TO_YOU: Final = shapes_of("you|be|being|anyone|anybody|чтобы|чтоб|щоб|щоби")
_WEARY: Final = shapes_of("sick|done|tired|fed|enough|annoying|hate|irritating")
_FOR_GOOD: Final = shapes_of("больше|більше|никогда|ніколи|never|anymore|again|ever|ешқашан|енді")


def _lead(clause: Clause, shapes: list[str]) -> bool:
    """A keyword and a few words: "STOP Cola", "отпишите меня от всего"."""
    core = [here for here, shape in zip(clause, shapes, strict=True) if shape not in FILLING]
    if not core or Role.STOP not in core[0] or len(core) > _LEAD_WORDS:
        return False
    against = (Role.COMPOUND, Role.OTHER, Role.GOODS)
    return not any(role in here for here in core[1:] for role in against)


def _quits(clause: Clause, shapes: list[str]) -> bool:
    """Stop sending me ads; in Kazakh the verb stands last."""
    ends = (Role.CONTACT, Role.ADS)
    if any(follows(clause, at, ends) for at, here in enumerate(clause) if Role.QUIT in here):
        return not has(clause, Role.GOODS)
    last = last_word(clause, shapes)
    quits_kk = shapes[last].startswith(KK_STEMS) and Role.QUIT in clause[last]
    return quits_kk and any(role in here for here in clause[:last] for role in ends)


def _only_quits(clause: Clause, shapes: list[str]) -> bool:
    """Just stop it: nothing else but small words."""
    del shapes
    heads = (Role.STOP, Role.QUIT, Role.REMOVE)
    small = (*heads, Role.THROUGH, Role.SENT)
    found = any(role in here for here in clause for role in heads)
    return found and all(any(role in here for role in small) for here in clause)


def _dont(clause: Clause, shapes: list[str]) -> bool:
    """Do not write, больше не звоните, не надо слать."""
    if has(clause, Role.GOODS) or (has(clause, Role.LATER) and not _for_good(shapes)):
        return False
    for at, here in enumerate(clause):
        if Role.NOT not in here or (at and shapes[at - 1] in _SUBJECTS):
            continue
        if shapes[at] == "NOT" and at and shapes[at - 1] not in _MAY_BE_TOLD:
            continue
        if follows(clause, at, (Role.CONTACT,), also=Role.NEED):
            return True
    return False


def _unwanted(clause: Clause, shapes: list[str]) -> bool:
    """I do not want your ads, не хочу получать, мне не нужна реклама, реклама не нужна."""
    if has(clause, Role.GOODS):
        return False
    for at, here in enumerate(clause):
        near = range(at + 1, min(at + 4, len(clause))) if Role.NOT in here else ()
        want = next((i for i in near if Role.WILL in clause[i] or Role.NEED in clause[i]), None)
        if want is not None and _not_wanted(clause, shapes, at, want):
            return True
    return False


def _not_wanted(clause: Clause, shapes: list[str], at: int, want: int) -> bool:
    """The same, of the negation at `at` and the wish or need at `want`."""
    last = last_word(clause, shapes)
    to_you = any(shape in _TO_YOU for shape in shapes[want:])
    ads_first = any(Role.ADS in here for here in clause[:at])
    by_itself = Role.NEED in clause[want] and small(clause[:at])
    return (
        follows(clause, want, (Role.TAKE, Role.ADS))
        or (last > want and Role.THIS in clause[last] and follows(clause, want, (Role.THIS,)))
        or (to_you and follows(clause, want, (Role.CONTACTED,)))
        or ((ads_first or by_itself) and rest_small(clause, want + 1))
    )


def _unwanted_kk(clause: Clause, shapes: list[str]) -> bool:
    """жарнама керек емес, хабарлама алғым келмейді, жазбаңыз."""
    if has(clause, Role.GOODS):
        return False
    for at in range(len(clause) - 1):
        if shapes[at] in _UNNEEDED and shapes[at + 1] in _NO_KK:
            return small(clause[:at], Role.ADS) and rest_small(clause, at + 2)
    if any(
        Role.UNWILLING in here and any(Role.TAKE in b for b in clause[:at]) for at, here in enumerate(clause)
    ):
        return True
    return any(_asked_not_to(shape, shapes) for shape in shapes)


def _asked_not_to(shape: str, shapes: list[str]) -> bool:
    found = _KK_ASKED.search(shape)
    if not found:
        return False
    stem = shape[: found.start()]
    if stem == "AЛ":  # мазамды алмаңыз
        return any(other.startswith("MAЗA") for other in shapes)
    return stem.startswith(_KK_CONTACT)


def _removes(clause: Clause, shapes: list[str]) -> bool:
    """Take me off your list, удалите мой номер; in Kazakh the verb stands last."""
    if has(clause, Role.GOODS) or has(clause, Role.OTHER):
        return False
    last = last_word(clause, shapes)
    if shapes[last].startswith(KK_STEMS) and Role.REMOVE in clause[last]:
        return any(Role.SELF in here for here in clause[max(0, last - NEAR) : last])
    for at, here in enumerate(clause):
        near = clause[at + 1 : at + 1 + NEAR]
        itself = any(Role.SELF in other for other in near) or any(Role.ADS in other for other in near)
        if Role.REMOVE in here and itself:
            return True
        if Role.TAKE_OFF in here and itself and any(Role.OFF in other for other in near):
            return True
        if Role.FORGET in here and any(Role.SELF in other for other in near[:4]):
            return True
    return False


def _leaves(clause: Clause, shapes: list[str]) -> bool:
    """I want to unsubscribe, как отписаться, бас тартқым келеді."""
    if has(clause, Role.GOODS) or has(clause, Role.OTHER):
        return False
    at = next((i for i, here in enumerate(clause) if Role.LEAVE in here), None)
    if at is None:
        return False
    asked = (Role.WILL, Role.NEED, Role.HOW, Role.POLITE, Role.TRIES)
    if any(role in here for here in clause[:at] for role in asked) or "LIKE" in shapes[:at]:
        return True
    if shapes[at].startswith(KK_STEMS):
        return "БAC" in shapes[:at] or any(Role.SELF in here for here in clause[:at])
    return at == 0 or small(clause[:at])


def _withdraws(clause: Clause, shapes: list[str]) -> bool:
    """I withdraw my consent, не даю согласия, келісімімді қайтарып аламын."""
    del shapes
    for at, here in enumerate(clause):
        if Role.CONSENT in here:
            before, behind = clause[max(0, at - 4) : at], clause[at + 1 : at + 4]
            return any(Role.WITHDRAW in o for o in (*before, *behind)) or any(Role.NOT in o for o in before)
    return False


def _opposes(clause: Clause, shapes: list[str]) -> bool:
    """I am against, запрещаю мне звонить."""
    del shapes
    if has(clause, Role.GOODS):
        return False
    ends = (Role.ADS, Role.CONTACT, Role.TAKE, Role.THIS)
    for at, here in enumerate(clause):
        if Role.AGAINST in here and not (at and Role.NOT in clause[at - 1]):
            return follows(clause, at, ends) or (small(clause[:at], Role.ADS) and rest_small(clause, at + 1))
    return False


def _fed_up(clause: Clause, shapes: list[str]) -> bool:
    """Достали своим спамом, sick of your texts."""
    fed = [shape for shape, here in zip(shapes, clause, strict=True) if Role.FED_UP in here]
    small = (Role.FED_UP, Role.THROUGH, Role.ADS, Role.CONTACT)
    if not fed or not all(any(role in here for role in small) for here in clause):
        return False
    return has(clause, Role.ADS) or not all(shape.isascii() and shape in _WEARY for shape in fed)


def _uninterested(clause: Clause, shapes: list[str]) -> bool:
    """Not interested, мне это не интересно; not: of something that is no offer."""
    del shapes
    last = max((at for at, here in enumerate(clause) if Role.INTEREST in here), default=None)
    if last is None or has(clause, Role.GOODS):
        return False
    offers = (Role.ADS, Role.CONTACT, Role.SELF, Role.TAG)
    no = any(Role.NOT in here and follows(clause, at, (Role.INTEREST,)) for at, here in enumerate(clause))
    return no and small(clause[last + 1 :], *offers)


def _none_of_it(clause: Clause, shapes: list[str]) -> bool:
    """No more ads, без рекламы: and nothing else."""
    del shapes
    return has(clause, Role.NONE) and has(clause, Role.ADS) and small(clause, Role.NONE, Role.ADS)


def _idiom(clause: Clause, shapes: list[str]) -> bool:
    """Leave me alone, opt me out, lose my number; get lost."""
    for at, shape in enumerate(shapes):
        near = shapes[at + 1 : at + 4]
        if shape in _FIRSTS and any((shape, other) in _PAIRS for other in near):
            return not has(clause, Role.OTHER)
        if Role.GO in clause[at] and any(Role.AWAY in here for here in clause[at + 1 : at + 3]):
            return not has(clause, Role.GOODS)
    return False


def _begone(clause: Clause, shapes: list[str]) -> bool:
    """Отстаньте от меня, відчепіться зі своїми кришками."""
    core = [here for here, shape in zip(clause, shapes, strict=True) if shape not in FILLING]
    return bool(core) and Role.BEGONE in core[0] and not has(clause, Role.OTHER)


def _has_said(clause: Clause, shapes: list[str]) -> bool:
    """I have already sent STOP."""
    del shapes
    return any(
        Role.STOP in here and any(Role.SENT in before for before in clause[max(0, at - 3) : at])
        for at, here in enumerate(clause)
    )


def _for_good(shapes: list[str]) -> bool:
    return not _FOR_GOOD.isdisjoint(shapes)


RULES: Final[tuple[Callable[[Clause, list[str]], bool], ...]] = (
    _lead,
    _quits,
    _only_quits,
    _dont,
    _unwanted,
    _unwanted_kk,
    _removes,
    _leaves,
    _withdraws,
    _opposes,
    _fed_up,
    _uninterested,
    _none_of_it,
    _idiom,
    _begone,
    _has_said,
)
