"""Source addresses to E.164, and senders that are nobody's phone."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.people.numbers import by_plan, parse_msisdn


@pytest.mark.parametrize(
    ("address", "ton", "region", "number"),
    [
        pytest.param("380671234567", 1, "", "380671234567", id="international"),
        pytest.param("+380671234567", 1, "", "380671234567", id="international with plus"),
        pytest.param("380671234567", 0, "", "380671234567", id="unknown type, no country known"),
        pytest.param("380671234567", 0, "UA", "380671234567", id="unknown type, own country"),
        pytest.param("77011234567", 0, "UA", "77011234567", id="unknown type, another country"),
        pytest.param("00380671234567", 0, "", "380671234567", id="international prefix"),
        pytest.param("0671234567", 2, "UA", "380671234567", id="national"),
        pytest.param("671234567", 2, "UA", "380671234567", id="national without zero"),
        pytest.param("87011234567", 2, "KZ", "77011234567", id="national, kazakh"),
        pytest.param("89161234567", 0, "RU", "79161234567", id="national, russian"),
        pytest.param("0671234567", 1, "UA", "380671234567", id="national, called international"),
        pytest.param("0671234567", 0, "", None, id="national, no country known"),
        pytest.param("4040", 3, "UA", None, id="short number"),
        pytest.param("4040", 1, "", None, id="short number, called international"),
        pytest.param("1234567", 0, "UA", None, id="seven digits"),
        pytest.param("PrivatBank", 5, "UA", None, id="alphanumeric"),
        pytest.param("380671234567", 5, "UA", None, id="alphanumeric, though of digits"),
        pytest.param("Bank", 0, "UA", None, id="letters of unknown type"),
        pytest.param("", 1, "", None, id="empty"),
        pytest.param("9999999999999999", 1, "", None, id="sixteen digits"),
        pytest.param("99999999999", 0, "", None, id="no such country"),
        pytest.param("٣٨٠٦٧١٢٣٤٥٦٧", 1, "", None, id="digits that no SMSC sends"),
        pytest.param("380671234567", 0, "XX", "380671234567", id="a country that does not exist"),
    ],
)
def test_parse_msisdn(address: str, ton: int, region: str, number: str | None) -> None:
    assert number == parse_msisdn(address, ton, region)


@given(st.text(max_size=25), st.integers(0, 255), st.sampled_from(["", "UA", "KZ"]))
def test_parse_msisdn_is_total(address: str, ton: int, region: str) -> None:
    number = parse_msisdn(address, ton, region)
    assert number is None or (number.isdecimal() and 8 <= len(number) <= 15)


@pytest.mark.parametrize(
    ("address", "ton", "region", "number"),
    [
        pytest.param("3800501234567", 1, "", "380501234567", id="a trunk zero kept"),
        pytest.param("+3800501234567", 0, "", "380501234567", id="a trunk zero kept, with plus"),
        pytest.param("80501234567", 1, "UA", "380501234567", id="the old trunk, called international"),
        pytest.param("80501234567", 0, "UA", "380501234567", id="the old trunk"),
        pytest.param("80501234567", 1, "", "380501234567", id="the old trunk, no country known"),
        pytest.param("80291234567", 1, "", "375291234567", id="the same of Belarus"),
        pytest.param("87011234567", 1, "", "77011234567", id="the same of Kazakhstan"),
        pytest.param("787011234567", 1, "", "77011234567", id="the same behind the country code"),
        pytest.param("8801712345678", 1, "UA", "8801712345678", id="a country code that begins with it"),
        pytest.param("501234567", 1, "UA", "380501234567", id="without any, called international"),
        pytest.param("3805012345678", 1, "", None, id="a digit too many"),
        pytest.param("76011234567", 1, "", "76011234567", id="a range that our data do not have yet"),
    ],
)
def test_a_plan_is_applied_whatever_the_type_says(
    address: str, ton: int, region: str, number: str | None
) -> None:
    assert number == parse_msisdn(address, ton, region)


def test_what_is_taken_without_the_whole_plan_is_what_the_plan_says() -> None:
    """Of each country an example: the short way gives what the long one gives."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if example is not None:
            digits = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)[1:]
            if len(digits) >= 8:
                assert parse_msisdn(digits, 1, "") == by_plan(f"+{digits}", "") == digits, region
