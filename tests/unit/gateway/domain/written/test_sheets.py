"""Files as Python's csv and the spreadsheets of an office write them: the same lines, whatever the form."""

from __future__ import annotations

import csv
import io
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.consent.consent_file import Fault, Line, Reading, read_lines
from gateway.domain.written import sheets

NOW = 1_780_000_000_000
READING = Reading(region="UA", zone=ZoneInfo("Europe/Kyiv"), now=NOW)
ROWS = (
    ("Number", "Channel", "State", "Said_At", "Ім'я", "Proof"),
    ("380671234567.0", "SMS", "Given", "02.04.2025", "Ганна; Київ", 'анкета "Весна", №7'),
    ("3.80501234567E+11", "all", "Відкликано", "02.04.2025 10:30", "Їжак, Ґ.", "лист\nдругий рядок"),
    ("", "", "", "", "", ""),
    ("067 123 45 68", "Call", "given", "2025-04-02", "", ""),
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1251")


def saved(separator: str, encoding: str, said: str = "", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, quoting=quoting).writerows(ROWS)  # type: ignore[arg-type]
    return (said + text.getvalue() + separator * 5 + "\r\n").encode(encoding)


def read(raw: bytes) -> list[Line | Fault]:
    return list(read_lines(sheets.opened(raw), READING))


@pytest.mark.parametrize(("separator", "encoding"), list(product(";,\t", ENCODINGS)))
@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
def test_each_form_has_the_same_lines(separator: str, encoding: str, quoting: int) -> None:
    for said in ("", f"sep={separator}\r\n", f'"sep={separator}"\r\n', f"SEP={separator}\n"):
        found = read(saved(separator, encoding, said, quoting))
        assert [(line.number, line.proof) for line in found if isinstance(line, Line)] == [
            ("380671234567", 'анкета "Весна", №7'),
            ("380501234567", "лист другий рядок"),
            ("380671234568", ""),
        ]
        assert len(found) == 3


def test_a_separator_that_is_said_wrongly_is_found_nevertheless() -> None:
    assert len(read(saved(";", "utf-8", "sep=,\n"))) == 3


@pytest.mark.parametrize(
    ("encoding", "broken", "line"),
    [("utf-8", "Весна".encode("windows-1251"), 2), ("windows-1251", b"\x98", 2)],
)
def test_bytes_without_a_meaning_cost_their_own_line(encoding: str, broken: bytes, line: int) -> None:
    found = read(saved(";", encoding).replace("Весна".encode(encoding), broken))
    assert [fault for fault in found if isinstance(fault, Fault)] == [
        Fault(line=line, told="proof: has characters that cannot be read", may_refuse=False)
    ]
    assert len(found) == 3


@pytest.mark.parametrize(
    "raw", [b"", b"\0", b"\xff\xfe", b"\xff\xfe\0", b"\n\n", b"PK\3\4\0\0", b'"', b"sep=;"]
)
def test_what_is_no_list_is_told_in_one_fault(raw: bytes) -> None:
    (fault,) = read(raw)
    assert isinstance(fault, Fault)
    assert fault.told.startswith("the columns must be number,")


def test_a_file_of_open_quotes_is_read_in_the_time_of_its_size() -> None:
    rows = b"number,channel,state,said_at,proof\n" + b'"x\n' * 20_000
    assert len(read(rows)) == 20_000
