"""A list of consents given elsewhere: read strictly, a fault has its line, and not what stood there."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from gateway.domain.consent.consent_file import Fault, Line, Reading, read_lines
from gateway.domain.consent.word import IN_ORDER, Channel, Consent
from gateway.domain.written import sheets

NOW = 1_780_000_000_000
HEAD = "number,channel,state,said_at,proof"
PHONE = "380671234567"


def read(*rows: str, region: str = "", zone: str = "UTC") -> list[Line | Fault]:
    reading = Reading(region=region, zone=ZoneInfo(zone), now=NOW)
    return list(read_lines(sheets.opened("\n".join(rows).encode()), reading))


def test_lines() -> None:
    found = read(
        HEAD,
        '"+380 (67) 123-45-67",all,withdrawn,2025-03-01,',
        "",
        "0671234567,sms,given,2025-03-01T10:00+02:00,form 1",
        region="UA",
    )
    assert found == [
        Line(number=PHONE, channels=IN_ORDER, state=Consent.WITHDRAWN, said_at=1_740_873_599_999, proof=""),
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
        ("+380671234567,all,так,2025-03-01,", "state: given, withdrawn"),
        ("+380671234567,all,given,yesterday,", "said_at: is no date such as"),
        ("+380671234567,all,given,,", "said_at: is missing"),
        ("+380671234567,all,given,31.02.2025,", "said_at: is no date such as"),
        ("+380671234567,all,given,04/02/2025,", "said_at: which is the day"),
        ("+380671234567,all,given,02.04.25,", "said_at: the year has four digits"),
        ("+380671234567,all,given,45749,", "said_at: is a spreadsheet's own number"),
        ("+380671234567,all,given,2025-03-01,,x", "has 6 columns, not 5"),
        ("+380671234567,all,given,2025-03-01,\ufffd", "proof: has characters that cannot be read"),
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


@pytest.mark.parametrize(
    ("head", "more"),
    [
        ("", ""),
        ("phone,channel,state,said_at,proof", "; missing: number"),
        ("number;channel", "; missing: state, said_at, proof"),
        ("number,channel,state,said_at,proof,Number", "; more than once: number"),
    ],
)
def test_the_columns_are_named_in_the_first_line(head: str, more: str) -> None:
    told = f"the columns must be number,channel,state,said_at,proof{more}"
    (fault,) = read(head, "what,is,this,")[:1]
    assert fault == Fault(line=1 if head else 2, told=told)


def test_columns_in_any_order_and_some_that_nobody_asked_for() -> None:
    (found,) = read(
        "Proof;Said at;Name;STATE;Channel;Number", 'f 1;02.04.2025;"Anna; A";Given;SMS;+380671234567;;'
    )
    assert found == Line(
        number=PHONE, channels=(Channel.SMS,), state=Consent.GIVEN, said_at=1_743_552_000_000, proof="f 1"
    )


@pytest.mark.parametrize("lines", [("sep=;",), ("", "  ", ";;;;"), ('"sep=;"', "")])
def test_without_names_the_columns_stand_in_their_order(lines: tuple[str, ...]) -> None:
    row = "380671234567.0;СМС;Надано;02.04.2025;"
    found = read(*(line for line in lines if not line.startswith(";;")), row, ";;;;", "")
    assert [type(line) for line in found] == [Line]


@pytest.mark.parametrize(
    ("state", "channel", "expected"),
    [
        (" GIVEN ", "Sms", (Consent.GIVEN, (Channel.SMS,))),
        ("Надано", "дзвінок", (Consent.GIVEN, (Channel.CALL,))),
        ("отозвано", "Все", (Consent.WITHDRAWN, IN_ORDER)),
        ("Қайтарылды", "қоңырау", (Consent.WITHDRAWN, (Channel.CALL,))),
        ("берілді", "барлығы", (Consent.GIVEN, IN_ORDER)),
        ("ЗГОДА", "смс", (Consent.GIVEN, (Channel.SMS,))),
        ("Отказ", "звонок", (Consent.WITHDRAWN, (Channel.CALL,))),
        ("Бас  тарту", "all", (Consent.WITHDRAWN, IN_ORDER)),
        ("Відкликано", "УСІ", (Consent.WITHDRAWN, IN_ORDER)),
    ],
)
def test_words_in_any_case_and_in_four_languages(
    state: str, channel: str, expected: tuple[Consent, tuple[Channel, ...]]
) -> None:
    (found,) = read(HEAD, f"+{PHONE},{channel},{state},2025-03-01,")
    assert isinstance(found, Line)
    assert (found.state, found.channels) == expected


@pytest.mark.parametrize(
    ("state", "written", "ms"),
    [
        ("given", "02.04.2025", 1_743_541_200_000),  # 2025-04-01T21:00Z
        ("withdrawn", "02.04.2025", 1_743_627_599_999),  # 2025-04-02T20:59:59.999Z
        ("given", "2.4.2025", 1_743_541_200_000),
        ("given", "02.04.2025 10:30", 1_743_579_000_000),
        ("withdrawn", "02.04.2025, 10:30:00", 1_743_579_000_000),
        ("withdrawn", "2025-04-02 9:30", None),
        ("withdrawn", "2025-04-02 10:30", 1_743_579_000_000),
        ("withdrawn", "2025-04-02T10:30Z", 1_743_589_800_000),
        ("withdrawn", "30.03.2025", 1_743_368_399_999),  # of 23 hours
    ],
)
def test_a_day_without_a_time_is_in_its_zone(state: str, written: str, ms: int | None) -> None:
    (found,) = read(HEAD, f'+{PHONE},all,{state},"{written}",', zone="Europe/Kyiv")
    assert (found.said_at if isinstance(found, Line) else None) == ms


def test_a_refusal_of_today_is_not_in_the_future() -> None:
    assert [type(line) for line in read(HEAD, f"+{PHONE},all,withdrawn,2026-05-28,")] == [Line]


def test_a_quote_that_is_not_closed_hides_no_line_behind_it() -> None:
    found = read(
        HEAD,
        f'+{PHONE},all,given,2025-03-01,"letter 17',
        "+380671234568,all,withdrawn,2025-03-01,",
        '+380671234569,all,withdrawn,2025-03-01,"two',
        'lines, ""quoted"""',
        '"+380671234560"1,all,withdrawn,2025-03-01,',
        '+380671234561,all,withdrawn,2025-03-01,the "7th"',
    )
    assert [line.line for line in found if isinstance(line, Fault)] == [2, 6]
    assert [(line.number[-2:], line.proof) for line in found if isinstance(line, Line)] == [
        ("68", ""),
        ("69", 'two lines, "quoted"'),
        ("61", 'the "7th"'),
    ]


def test_a_line_that_may_be_a_refusal_is_told_from_one_that_is_none() -> None:
    found = read(HEAD, "12,all,ДАНО,2025-03-01,", "12,all,отозвано,2025-03-01,", "12,all,?,2025-03-01,")
    assert [line.may_refuse for line in found if isinstance(line, Fault)] == [False, True, True]
