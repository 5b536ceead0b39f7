"""Forms in which an SMSC writes one id twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.sms.receipt_ids import ALIKE, IdForm, alike, in_form, normal


@pytest.mark.parametrize(
    ("response", "receipt", "form"),
    [
        ("00A1B2C3", "10597059", IdForm.DECIMAL),
        ("a1b2c3", "10597059", IdForm.DECIMAL),
        ("10597059", "A1B2C3", IdForm.HEXADECIMAL),
        ("0010597059", "00a1b2c3", IdForm.HEXADECIMAL),
        ("A1B2-c3", "A1B2-C3", IdForm.CASE),
        ("SAR-x-1eedf843-2-1", "SAR-x-1EEDF843-2-1", IdForm.CASE),
        ("0000012345", "12345", IdForm.ZEROS),
        ("12345", "0000012345", IdForm.ZEROS),
        ("00123456789012345678901", "0123456789012345678901", IdForm.ZEROS),
        ("00abcdef", "0ABCDEF", IdForm.ZEROS),
    ],
)
def test_the_response_is_found(response: str, receipt: str, form: IdForm) -> None:
    assert in_form(receipt, form) == normal(response)
    assert form not in ALIKE or alike(receipt, response) is form


@pytest.mark.parametrize("receipt", ["xyz", "12-34", "", "9z"])
def test_what_is_no_number_has_no_other_form(receipt: str) -> None:
    assert {in_form(receipt, form) for form in set(IdForm) - ALIKE} == {None}


@given(st.text(max_size=70), st.sampled_from(IdForm))
def test_total(receipt: str, form: IdForm) -> None:
    in_form(receipt, form)
    assert alike(receipt, receipt) is None
