"""Questions of consent, erasure and caps: the tests of SQLite once more, on PostgreSQL."""

from __future__ import annotations

from tests.integration.core.test_erase import (
    lived,
    test_a_refusal_of_one_channel_goes_on_to_hold_and_a_yes_does_not,
    test_a_stop_goes_on_to_hold_through_a_rebuild_until_a_start,
    test_beside_a_worker_and_texts_nothing_is_lost_and_no_old_row_comes_back,
    test_what_became_of_answers_is_said_as_far_as_it_is_known,
)
from tests.integration.core.test_rebuild_caps import (
    asking,
    test_many_contacts_come_back_in_batches,
    test_what_stands_is_neither_lost_nor_doubled,
)
from tests.integration.core.test_winning_consent import (
    test_a_rebuilt_redis_knows_who_was_asked_and_who_answered,
    test_the_first_confirmation_asks_and_no_other,
)

__all__ = [
    "asking",
    "lived",
    "test_a_rebuilt_redis_knows_who_was_asked_and_who_answered",
    "test_a_refusal_of_one_channel_goes_on_to_hold_and_a_yes_does_not",
    "test_a_stop_goes_on_to_hold_through_a_rebuild_until_a_start",
    "test_beside_a_worker_and_texts_nothing_is_lost_and_no_old_row_comes_back",
    "test_many_contacts_come_back_in_batches",
    "test_the_first_confirmation_asks_and_no_other",
    "test_what_became_of_answers_is_said_as_far_as_it_is_known",
    "test_what_stands_is_neither_lost_nor_doubled",
]
