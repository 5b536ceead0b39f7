"""That a no wins: the tests of SQLite once more, on PostgreSQL."""

from __future__ import annotations

from tests.integration.core.test_a_no_wins import (
    held,
    house,
    test_a_no_while_a_rebuild_runs_stays,
    test_a_redis_that_lacks_only_a_withdrawal_is_behind,
    test_a_withdrawal_counts_though_the_clock_was_stepped_back,
    test_of_one_batch_the_no_counts_in_both_stores,
)

__all__ = [
    "held",
    "house",
    "test_a_no_while_a_rebuild_runs_stays",
    "test_a_redis_that_lacks_only_a_withdrawal_is_behind",
    "test_a_withdrawal_counts_though_the_clock_was_stepped_back",
    "test_of_one_batch_the_no_counts_in_both_stores",
]
