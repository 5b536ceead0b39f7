"""Audiences, blasts and recipients: the tests of SQLite once more on PostgreSQL, and one of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.integration.campaigns.market import Market
from tests.integration.campaigns.test_audiences import (
    test_a_list_of_references_holds_only_the_firms_own_shoppers,
    test_a_sample_is_the_same_each_time_and_about_its_share,
    test_names_are_used_once_and_only_what_is_there_is_excluded,
    test_who_is_in_it,
    town,
)
from tests.integration.campaigns.test_fan_out import (
    test_a_crash_between_sql_and_redis_is_repaired,
    test_a_queue_that_was_lost_is_unknown_and_not_filled_again,
    test_an_outcome_that_is_settled_twice_does_not_queue_twice,
    test_everybody_gets_it_once_in_their_language,
    test_put_off_by_the_gate_it_comes_again_at_its_time_under_another_id,
    test_the_holdout_gets_nothing_and_stays_the_same,
    test_two_processes_on_one_batch_write_it_once,
)
from tests.integration.campaigns.test_preflight import test_it_tells_what_would_happen_and_changes_nothing

__all__ = [
    "test_a_crash_between_sql_and_redis_is_repaired",
    "test_a_list_of_references_holds_only_the_firms_own_shoppers",
    "test_a_queue_that_was_lost_is_unknown_and_not_filled_again",
    "test_a_sample_is_the_same_each_time_and_about_its_share",
    "test_an_outcome_that_is_settled_twice_does_not_queue_twice",
    "test_everybody_gets_it_once_in_their_language",
    "test_it_tells_what_would_happen_and_changes_nothing",
    "test_names_are_used_once_and_only_what_is_there_is_excluded",
    "test_put_off_by_the_gate_it_comes_again_at_its_time_under_another_id",
    "test_the_holdout_gets_nothing_and_stays_the_same",
    "test_two_processes_on_one_batch_write_it_once",
    "test_who_is_in_it",
    "town",
]


def test_transactions_at_once_write_each_batch_once(market: Market) -> None:
    """SQLite lets one write at a time; here two are really under way together."""
    numbers = market.shoppers(120)
    blast = market.launched()
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(market.fan_out, blast) for _ in range(4)]:
            done.result()
    assert Counter(number for number, _ in market.waiting()) == Counter(numbers)
    assert market.states(blast) == {"texted": 120}
