"""A file of consents and refusals that were given elsewhere, as spreadsheets save it. Pure.

    number,channel,state,said_at,proof
    +380671234567,all,withdrawn,2025-03-01,letter 17
    +380671234568,sms,given,02.04.2025 10:30,form 4711

Columns are found by their names, in any order, others are not read; without names they stand as above.
`channel`: sms, call or all. `state`: given or withdrawn. Both in any case, and in Ukrainian, Russian and
Kazakh. `said_at`: a date or a time. Of a day without a time a consent holds from the beginning, and a refusal
until the end. A fault has its line and repeats nothing of what stood there: it may be somebody's number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final, TypeVar

from gateway.domain.codes.alphabet import clean
from gateway.domain.consent.word import IN_ORDER, Channel, Consent
from gateway.domain.people.typed_numbers import NumberFault, read_number
from gateway.domain.written import sheets
from gateway.domain.written.days import DayFault, read_days

COLUMNS: Final = ("number", "channel", "state", "said_at", "proof")
T = TypeVar("T")
MOST_PROOF: Final = 120
_PROOF: Final = len(COLUMNS) - 1
_CHANNELS: Final = (
    dict.fromkeys(("sms", "смс"), (Channel.SMS,))
    | dict.fromkeys(("call", "дзвінок", "звонок", "қоңырау"), (Channel.CALL,))
    | dict.fromkeys(("all", "усі", "всі", "все", "барлығы"), IN_ORDER)
)
_STATES: Final = dict.fromkeys(
    ("given", "надано", "дано", "берілді", "згода", "согласие", "келісім"), Consent.GIVEN
) | dict.fromkeys(
    ("withdrawn", "відкликано", "отозвано", "қайтарылды", "відмова", "отказ", "бас тарту"), Consent.WITHDRAWN
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that was understood. `number`: E.164 digits; `said_at`: ms since 1970."""

    number: str = field(repr=False)
    channels: tuple[Channel, ...]
    state: Consent
    said_at: int
    proof: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that was not; counted from 1, the header included. `may_refuse`: it may say no, to whomever."""

    line: int
    told: str
    may_refuse: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a file is read. `region`: ISO 3166, of national numbers, or empty; `now`: ms since 1970.

    `zone`: of days, and of times that name none.
    """

    region: str
    zone: tzinfo
    now: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the columns stand, in the order of COLUMNS, among `width`. `begin`: the first row's index."""

    separator: str
    places: tuple[int, ...]
    width: int
    begin: int


def read_lines(sheet: sheets.Sheet, reading: Reading) -> Iterator[Line | Fault]:
    """The lines of a file. Empty ones, and empty cells behind the last column, do not matter."""
    layout = _layout(sheet, reading)
    if isinstance(layout, Fault):
        yield layout
        return

    def stands_alone(cells: Sequence[str]) -> bool:
        place = layout.places[0]
        if not place < len(cells) < layout.width:
            return len(cells) >= layout.width
        return not isinstance(read_number(cells[place], reading.region), NumberFault)

    for number, cells in sheets.records(sheet, layout.begin, layout.separator, stands_alone):
        if cells is None:
            told = "is not CSV: a quote is not closed, or stands inside a cell"
            yield Fault(line=number, told=told)
        elif any(cell.strip() for cell in cells):
            yield _placed(number, cells, layout, reading)


def _layout(sheet: sheets.Sheet, reading: Reading) -> _Layout | Fault:
    """By the names of the first line, or by what stands there. A fault tells which names are not there."""
    best: list[str] = []
    for separator in sheet.separators():
        cells = sheets.cells(sheet.lines[sheet.first], separator) or []
        names = ["_".join(clean(cell).casefold().split()) for cell in cells]
        if all(names.count(name) == 1 for name in COLUMNS):
            places = tuple(map(names.index, COLUMNS))
            return _Layout(separator=separator, places=places, width=len(names), begin=sheet.first + 1)
        if _is_row(cells, reading):
            order = tuple(range(len(COLUMNS)))
            return _Layout(separator=separator, places=order, width=len(COLUMNS), begin=sheet.first)
        best = max(best, names, key=lambda names: len(set(names).intersection(COLUMNS)))
    told = f"the columns must be {','.join(COLUMNS)}"
    missing = [name for name in COLUMNS if name not in best]
    if len(missing) < len(COLUMNS):
        twice = [name for name in COLUMNS if best.count(name) > 1]
        told += f"; missing: {', '.join(missing)}" if missing else f"; more than once: {', '.join(twice)}"
    return Fault(line=sheet.first + 1, told=told)


def _is_row(cells: Sequence[str], reading: Reading) -> bool:
    """Whether a first line is no header: somebody's number, a channel and a state, in this order."""
    if len(cells) < _PROOF or isinstance(read_number(cells[0], reading.region), NumberFault):
        return False
    return _word(cells[1], _CHANNELS) is not None and _word(cells[2], _STATES) is not None


def _placed(number: int, cells: Sequence[str], layout: _Layout, reading: Reading) -> Line | Fault:
    """A row's cells by their columns; a proof that is missing at its end is an empty one."""
    over = any(cell.strip() for cell in cells[layout.width :])
    if over or len(cells) <= max(layout.places[:_PROOF]):
        return Fault(line=number, told=f"has {len(cells)} columns, not {layout.width}")
    found = [cells[place] if place < len(cells) else "" for place in layout.places]
    for name, cell in zip(COLUMNS, found, strict=True):
        if sheets.UNREADABLE in cell:
            told = f"{name}: has characters that cannot be read"
            return Fault(line=number, told=told, may_refuse=_word(found[2], _STATES) is not Consent.GIVEN)
    return _line(number, found, reading)


def _line(number: int, cells: Sequence[str], reading: Reading) -> Line | Fault:
    msisdn = read_number(cells[0], reading.region)
    channels, state = _word(cells[1], _CHANNELS), _word(cells[2], _STATES)
    said_at = _said_at(cells[3], state, reading)
    proof = " ".join(cells[4].split())
    faults = (
        (isinstance(msisdn, NumberFault), f"number: {msisdn}"),
        (channels is None, f"channel: {', '.join((*Channel, 'all'))}"),
        (state is None, f"state: {Consent.GIVEN}, {Consent.WITHDRAWN}"),
        (isinstance(said_at, str), f"said_at: {said_at}"),
        (len(proof) > MOST_PROOF or not proof.isprintable(), f"proof: {MOST_PROOF} characters at most"),
    )
    told = next((told for holds, told in faults if holds), None)
    if isinstance(msisdn, NumberFault) or channels is None or state is None or isinstance(said_at, str):
        told = told or "cannot be read"
    elif told is None:
        return Line(number=msisdn, channels=channels, state=state, said_at=said_at, proof=proof)
    return Fault(line=number, told=told, may_refuse=state is not Consent.GIVEN)


def _said_at(cell: str, state: Consent | None, reading: Reading) -> int | str:
    """Ms since 1970, or what is wrong. A day without a time: its first moment, of a refusal its last."""
    days = read_days(cell, reading.zone)
    if isinstance(days, DayFault):
        return days.value
    if days.begins > reading.now:
        return f"is in the future, by the clock of {reading.zone}"
    last = days.ends - 1 if days.ends > days.begins else days.ends
    return last if state is Consent.WITHDRAWN else days.begins


def _word(cell: str, words: Mapping[str, T]) -> T | None:
    return words.get(" ".join(clean(cell).casefold().split()))
