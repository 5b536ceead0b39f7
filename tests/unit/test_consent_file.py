"""A list of consents given elsewhere: read strictly, a fault has its line, and not what stood there."""

from __future__ import annotations

import pytest

from gateway.domain.consent import IN_ORDER, Channel, Consent
from gateway.domain.consent_file import Fault, Line, read_lines

NOW = 1_780_000_000_000
HEAD = "number,channel,state,said_at,proof"
PHONE = "380671234567"


def read(*rows: str, region: str = "") -> list[Line | Fault]:
    return list(read_lines(rows, region=region, now=NOW))


def test_lines() -> None:
    found = read(
        HEAD,
        '"+380 (67) 123-45-67",all,withdrawn,2025-03-01,',
        "",
        "0671234567,sms,given,2025-03-01T10:00+02:00,form 1",
        region="UA",
    )
    assert found == [
        Line(number=PHONE, channels=IN_ORDER, state=Consent.WITHDRAWN, said_at=1_740_787_200_000, proof=""),
        Line(
            number=PHONE,
            channels=(Channel.SMS,),
            state=Consent.GIVEN,
            said_at=1_740_816_000_000,
            proof="form 1",
        ),
    ]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("12,all,given,2025-03-01,", "number: has too few digits"),
        ("+380671234567,post,given,2025-03-01,", "channel: sms, call, all"),
        ("+380671234567,all,yes,2025-03-01,", "state: given, withdrawn"),
        ("+380671234567,all,given,yesterday,", "said_at: a date such as"),
        ("+380671234567,all,given,2099-03-01,", "said_at: is in the future"),
        ("+380671234567,all,given,2025-03-01," + "x" * 121, "proof: 120 characters"),
        ("+380671234567,all,given", "has 3 columns, not 5"),
        ('"+380671234567,all,given,2025-03-01,', "is not CSV"),
    ],
)
def test_a_fault_has_its_line_and_no_number(row: str, told: str) -> None:
    (fault,) = (found for found in read(HEAD, "", row) if isinstance(found, Fault))
    assert fault.line == 3
    assert fault.told.startswith(told)
    assert "671234567" not in fault.told


@pytest.mark.parametrize("head", ["", "phone,channel,state,said_at,proof", "number;channel"])
def test_the_columns_are_named_in_the_first_line(head: str) -> None:
    assert read(head, "+380671234567,all,given,2025-03-01,") == [
        Fault(line=1, told="the columns must be number,channel,state,said_at,proof")
    ]
