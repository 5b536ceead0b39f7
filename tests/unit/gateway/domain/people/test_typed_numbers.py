"""Numbers from files and forms: the right one, or a fault that names what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.people.typed_numbers import NumberFault, read_number

RIGHT = "380501234567"
F = NumberFault


@pytest.mark.parametrize(
    "typed",
    [
        "380501234567.0",
        "380501234567,00",
        "3.80501234567E+11",
        "3,80501234567E+11",
        "3.80501234567000e11",
        "380,501,234,567",
        "380 501 234 567",
        "380.501.234.567",
        "380'501'234'567",
        "380,501,234,567.00",
        "380.501.234.567,00",
        '="380501234567"',
        "'+380501234567",
        "tel:+380-50-123-45-67",
        "\u202d+380501234567\u202c",
        "\u2068+38\u200e050\u00a0123\u2011 45 67\ufe0f\u2069",
        "+38 (050) 123-45-67",
        "+380 (0) 50 123 45 67",
        "+３８０５０１２３４５６７",
        "00380501234567",
    ],
)
@pytest.mark.parametrize("region", ["", "UA", "KZ"])
def test_the_right_number(typed: str, region: str) -> None:
    assert read_number(typed, region) == RIGHT


@pytest.mark.parametrize(
    "typed", ["0501234567", "050.123.45.67", "(050) 123-45-67", "8 050 123-45-67", "501234567"]
)
def test_in_national_form(typed: str) -> None:
    assert read_number(typed, "UA") == RIGHT
    assert isinstance(read_number(typed, ""), NumberFault)


def test_a_group_of_zeros_is_no_fraction() -> None:
    assert read_number("050.123.45.00", "UA") == "380501234500"


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("3.8050123457E+11", F.CUT),
        ("3.80501E+11", F.CUT),
        ("380501234567.5", F.FRACTION),
        ("380501234567.25", F.FRACTION),
        ("+3805012345678", F.PLAN),
        ("3805012345678", F.PLAN),
        ("38050123456", F.PLAN),
        ("+380001234567", F.PLAN),
        ("+4915112345678901", F.LONG),
        ("+491511234567890", F.PLAN),
        ("+485012345678", F.PLAN),
        ("+3752912345678", F.PLAN),
        ("+380501234567/+380671234567", F.SIGNS),
        ("+380501234567 ext 2", F.SIGNS),
        ("Anna", F.SIGNS),
        ("4040", F.SHORT),
        (" ", F.EMPTY),
        ("\u200e", F.EMPTY),
        ("9" * 5000, F.LONG),
    ],
)
@pytest.mark.parametrize("region", ["", "UA"])
def test_the_fault_is_named(typed: str, fault: NumberFault, region: str) -> None:
    assert read_number(typed, region) is fault


@given(st.text(max_size=80), st.sampled_from(["", "UA", "XX"]))
def test_anything_gives_a_number_or_a_fault(typed: str, region: str) -> None:
    found = read_number(typed, region)
    assert isinstance(found, NumberFault) or (found.isdecimal() and found.isascii() and 8 <= len(found) <= 15)
