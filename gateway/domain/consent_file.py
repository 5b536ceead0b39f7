"""A file of consents and refusals that were given elsewhere, as CSV. Pure; faults are named with their lines.

    number,channel,state,said_at,proof
    +380671234567,all,withdrawn,2025-03-01,letter 17
    +380671234568,sms,given,2025-04-02T10:00+03:00,form 4711

`channel`: sms, call or all. `state`: given or withdrawn. `said_at`: a date or a time, UTC without a zone. No
fault repeats what stood in the file: it may be somebody's number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from gateway.domain import instants
from gateway.domain.consent import IN_ORDER, Channel, Consent
from gateway.domain.typed_numbers import NumberFault, read_number

COLUMNS: Final = ("number", "channel", "state", "said_at", "proof")
MOST_PROOF: Final = 120
_CHANNELS: Final = {"sms": (Channel.SMS,), "call": (Channel.CALL,), "all": IN_ORDER}
_STATES: Final = {"given": Consent.GIVEN, "withdrawn": Consent.WITHDRAWN}


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


def read_lines(rows: Iterable[str], *, region: str, now: int) -> Iterator[Line | Fault]:
    """The lines of a file. `region`: ISO 3166, of numbers in national form, or empty; `now`: ms."""
    reader = csv.reader(rows, strict=True)
    try:
        header = tuple(word.strip().lower() for word in next(reader, []))
        if header != COLUMNS:
            yield Fault(line=1, told=f"the columns must be {','.join(COLUMNS)}")
            return
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield _line(reader.line_num, [cell.strip() for cell in cells], region, now)
    except csv.Error as err:
        yield Fault(line=reader.line_num, told=f"is not CSV: {err}")


def _line(number: int, cells: list[str], region: str, now: int) -> Line | Fault:
    if len(cells) != len(COLUMNS):
        return Fault(line=number, told=f"has {len(cells)} columns, not {len(COLUMNS)}")
    phone, channel, state, said, proof = cells
    msisdn = read_number(phone, region)
    said_at = _moment(said)
    faults = (
        (isinstance(msisdn, NumberFault), f"number: {msisdn}"),
        (channel not in _CHANNELS, f"channel: {', '.join(_CHANNELS)}"),
        (state not in _STATES, f"state: {', '.join(_STATES)}"),
        (said_at is None, "said_at: a date such as 2025-03-01 or a time such as 2025-03-01T10:00+02:00"),
        (said_at is not None and said_at > now, "said_at: is in the future"),
        (len(proof) > MOST_PROOF or not proof.isprintable(), f"proof: {MOST_PROOF} characters at most"),
    )
    told = next((told for holds, told in faults if holds), None)
    if told is not None or isinstance(msisdn, NumberFault) or said_at is None:
        return Fault(line=number, told=told or "cannot be read", may_refuse=state != "given")
    return Line(
        number=msisdn, channels=_CHANNELS[channel], state=_STATES[state], said_at=said_at, proof=proof
    )


def _moment(text: str) -> int | None:
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return instants.ms_of(aware) if instants.fits(aware) else None
