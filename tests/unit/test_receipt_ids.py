"""Forms in which an SMSC writes one id twice."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.receipt_ids import IdForm, candidates


@pytest.mark.parametrize(
    ("response", "receipt", "form"),
    [
        ("00A1B2C3", "10597059", IdForm.DECIMAL),
        ("a1b2c3", "10597059", IdForm.DECIMAL),
        ("10597059", "A1B2C3", IdForm.HEXADECIMAL),
        ("0010597059", "00a1b2c3", IdForm.HEXADECIMAL),
        ("A1B2-c3", "a1b2-C3".upper(), IdForm.CASE),
        ("abcdef", "ABCDEF", IdForm.CASE),
        ("0000012345", "12345", IdForm.ZEROS),
        ("12345", "0000012345", IdForm.ZEROS),
    ],
)
def test_the_response_is_among_the_candidates(response: str, receipt: str, form: IdForm) -> None:
    assert response.upper() in {id_.upper() for id_ in candidates(receipt, form)}


@pytest.mark.parametrize("receipt", ["", "xyz", "12-34", "٣", "0" * 64, "9" * 200])
@pytest.mark.parametrize("form", list(IdForm))
def test_whatever_an_smsc_writes(receipt: str, form: IdForm) -> None:
    assert receipt not in candidates(receipt, form)


@given(st.text(max_size=70), st.sampled_from(IdForm))
def test_total_and_few(receipt: str, form: IdForm) -> None:
    assert len(candidates(receipt, form)) <= 10
