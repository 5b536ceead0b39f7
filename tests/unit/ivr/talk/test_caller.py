"""Who calls: withheld before anything else, E.164 by the plan, the language by the number."""

from __future__ import annotations

import pytest

from ivr.talk.caller import Sight, caller


@pytest.mark.parametrize(
    ("callerid", "number", "language"),
    [
        ("380671234567", "380671234567", "uk"),
        ("+380671234567", "380671234567", "uk"),
        ("0671234567", "380671234567", "uk"),  # national form, region UA
        ("77011234567", "77011234567", "kk"),
        ("76011234567", "76011234567", "kk"),
        ("79161234567", "79161234567", "ru"),
        ("491711234567", "491711234567", "en"),
    ],
)
def test_a_known_caller(callerid: str, number: str, language: str) -> None:
    found = caller(callerid, "0", "UA", ())
    assert (found.sight, found.number, found.language) == (Sight.KNOWN, number, language)


@pytest.mark.parametrize(
    ("callerid", "callingpres", "sight"),
    [
        pytest.param("380671234567", "32", Sight.WITHHELD, id="withheld, though the number stands there"),
        pytest.param("380671234567", "35", Sight.WITHHELD, id="withheld, by the network"),
        pytest.param("380671234567", "67", Sight.UNKNOWN, id="not available"),
        pytest.param("380671234567", "96", Sight.WITHHELD, id="reserved"),
        pytest.param("380671234567", "", Sight.WITHHELD, id="no presentation"),
        pytest.param("380671234567", "-1", Sight.WITHHELD, id="strange presentation"),
        pytest.param("unknown", "0", Sight.UNKNOWN, id="unknown"),
        pytest.param("", "0", Sight.UNKNOWN, id="empty"),
        pytest.param("anonymous", "0", Sight.UNKNOWN, id="anonymous"),
        pytest.param("4040", "0", Sight.MALFORMED, id="short"),
        pytest.param("38067123456789012345", "0", Sight.MALFORMED, id="long"),
        pytest.param("380671234567x", "0", Sight.MALFORMED, id="letters"),
        pytest.param("٣٨٠٦٧١٢٣٤٥٦٧", "0", Sight.MALFORMED, id="other digits"),
    ],
)
def test_a_caller_whose_number_is_not_to_be_had(callerid: str, callingpres: str, sight: Sight) -> None:
    found = caller(callerid, callingpres, "UA", ())
    assert (found.sight, found.number, found.language) == (sight, "", "uk")


@pytest.mark.parametrize(
    ("callerid", "sight"),
    [("380671234567", Sight.KNOWN), ("77011234567", Sight.KNOWN), ("79161234567", Sight.FOREIGN)],
)
def test_countries_are_those_of_the_plan_not_of_the_code(callerid: str, sight: Sight) -> None:
    found = caller(callerid, "0", "", {"UA", "KZ"})
    assert sight is found.sight
    assert (found.number == "") == (sight is Sight.FOREIGN)


@pytest.mark.parametrize(("region", "language"), [("UA", "uk"), ("KZ", "kk"), ("RU", "ru"), ("", "en")])
def test_without_a_number_the_language_is_that_of_the_region(region: str, language: str) -> None:
    assert language == caller("", "0", region, ()).language


def test_a_number_does_not_show_in_a_traceback() -> None:
    assert "671234567" not in repr(caller("380671234567", "0", "", ()))
