"""Codes without a separator between them are all credited; a row that is not all codes counts for nothing."""

from __future__ import annotations

import pytest

from tests.integration.house import ANNA, House


@pytest.mark.parametrize("alphabet", ["digits", "letters"])
@pytest.mark.parametrize("printed", [True, False], ids=["as printed", "plain"])
async def test_both_are_credited(house: House, alphabet: str, printed: bool) -> None:
    house.firm()
    first, second, third, *_ = house.codes(house.campaign(), 5, alphabet)
    glued = f"{first}{second}" if printed else f"{first}{second}{third}".replace("-", "")

    verdict = await house.text(f"код {glued}")

    assert verdict.codes == ("C1",) * (2 if printed else 3)
    assert house.wrong_codes(ANNA) == (0, 0)


async def test_codes_of_two_alphabets_and_two_firms(house: House) -> None:
    house.firm()
    house.firm("bolt")
    digits = house.codes(house.campaign(), 1)[0].replace("-", "")
    letters = house.codes(house.campaign("bolt"), 1, "letters")[0].replace("-", "")

    assert (await house.text(letters + digits)).codes == ("C1", "C1")
    assert house.wrong_codes(ANNA) == (0, 0)


async def test_a_row_with_a_piece_that_is_no_code_tells_nothing_of_the_other(house: House) -> None:
    house.firm()
    first = house.codes(house.campaign(), 1)[0]
    mistyped = "9" * 13

    verdict = await house.text(first + mistyped)
    neither = await house.text("8" * 13 + mistyped)

    assert (verdict.kind, verdict.codes) == ("A", ())  # a hint
    assert neither.codes == ()
    assert house.wrong_codes(ANNA) == (0, 0)
    assert (await house.text(first)).codes == ("C1",)
