"""The texts that the SMSC in trouble delivers: one from each shopper, short or in parts, in their order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from tests.bench import wire
from tests.bench.load_texts import LATIN, number
from tests.soak.weather import Fate

PART: Final = 67  # characters of a part in UCS-2
NEVER_ISSUED_SHARE: Final = 0.005
FILLER: Final = "это всё остальное, что я хотел сказать об этой замечательной акции "


class Form(StrEnum):
    """How a text comes, and what its answer looks like."""

    SHORT = "short"
    LONG_ANSWER = "long answer"  # a short text whose answer takes two parts
    LONG = "long"  # three parts, some of them twice, in any order
    INCOMPLETE = "incomplete"  # of three parts one never comes; the code stands in the first


SHARES: Final = ((Form.INCOMPLETE, 0.01), (Form.LONG, 0.07), (Form.LONG_ANSWER, 0.12), (Form.SHORT, 1.0))


class Unit(NamedTuple):
    """A `deliver_sm` to send: which text it is of, and what it carries."""

    text: int
    body: bytes
    coding: int
    esm_class: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """A shopper's text; `serial` is None where its code was never issued."""

    sender: bytes
    form: Form
    code: str
    serial: int | None
    units: tuple[Unit, ...]


def texts(serials: Mapping[str, int], seed: int) -> list[Text]:
    """A text a code, and among them some whose codes were never issued."""
    fate = Fate(seed)
    found = []
    for i, (issued, serial) in enumerate(serials.items()):
        code = issued
        wrong = fate.share("never issued", i) < NEVER_ISSUED_SHARE
        if wrong:
            code = "".join(str(int(fate.share("digit", i, at) * 10)) for at in range(len(code)))
        form = next(form for form, most in SHARES if fate.share("form", i) < most)
        found.append(
            Text(
                sender=number(i),
                form=form,
                code=code,
                serial=None if wrong else serial,
                units=_units(i, form, code, fate),
            )
        )
    return found


def _units(index: int, form: Form, code: str, fate: Fate) -> tuple[Unit, ...]:
    if form is Form.SHORT:
        text = LATIN[index % len(LATIN)].format(code).encode("ascii")
        return (Unit(index, text, wire.GSM, 0),)
    if form is Form.LONG_ANSWER:
        text = f"Мой код: {code}. Отпишите меня".encode("utf-16-be")
        return (Unit(index, text, wire.UCS2, 0),)
    whole = f"Мой код {code}, ".ljust(PART, ".") + FILLER * 2
    reference = int(fate.share("reference", index) * 256)
    pieces = [whole[at * PART : (at + 1) * PART].encode("utf-16-be") for at in range(3)]
    parts = [
        Unit(index, bytes((5, 0, 3, reference, 3, at)) + piece, wire.UCS2, wire.ESM_UDHI)
        for at, piece in enumerate(pieces, 1)
    ]
    if form is Form.INCOMPLETE:
        return tuple(parts[: 1 + (fate.share("missing", index) < 0.5)])
    twice = fate.pick((parts, [*parts, parts[0]], [*parts, parts[2], parts[1]]), "twice", index)
    return tuple(twice)


def order(those: Sequence[Text], seed: int) -> list[Unit]:
    """All units as they are sent: those of a text apart, mixed with others', in any order."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    placed = [
        (i + (chance.random() * 12 if len(text.units) > 1 else 0.0), unit)
        for i, text in enumerate(those)
        for unit in text.units
    ]
    return [unit for _, unit in sorted(placed, key=lambda pair: pair[0])]
