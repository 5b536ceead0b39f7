"""Places where people stand: the tests of SQLite once more, on PostgreSQL."""

from __future__ import annotations

from tests.integration.core.test_places import (
    lived,
    test_a_refusal_that_waits_on_disk_goes_on_to_hold,
    test_an_erasure_leaves_nothing_in_any_place,
    test_people_stand_where_the_list_says_and_nowhere_else,
    test_what_another_machine_keeps_for_whoever_was_erased_is_not_sent,
    test_what_rests_is_sealed_anew_everywhere_and_no_key_ends_before,
)

__all__ = [
    "lived",
    "test_a_refusal_that_waits_on_disk_goes_on_to_hold",
    "test_an_erasure_leaves_nothing_in_any_place",
    "test_people_stand_where_the_list_says_and_nowhere_else",
    "test_what_another_machine_keeps_for_whoever_was_erased_is_not_sent",
    "test_what_rests_is_sealed_anew_everywhere_and_no_key_ends_before",
]
