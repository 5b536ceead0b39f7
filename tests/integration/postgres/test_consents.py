"""Changes and imports of consent: the tests of SQLite once more, on PostgreSQL."""

from __future__ import annotations

from tests.integration.core.test_consent_changes import (
    house,
    test_a_yes_and_a_no_by_channel,
    test_import_and_the_same_file_again,
    test_refusals_win_over_consents_of_the_file_and_of_before,
    test_why_was_this_person_contacted,
)

__all__ = [
    "house",
    "test_a_yes_and_a_no_by_channel",
    "test_import_and_the_same_file_again",
    "test_refusals_win_over_consents_of_the_file_and_of_before",
    "test_why_was_this_person_contacted",
]
