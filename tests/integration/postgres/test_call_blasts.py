"""Blasts by call and cascades: the tests of SQLite once more on PostgreSQL, and one of its own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from gateway.domain.offer_call import Outcome
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.conftest import dialling
from tests.integration.campaigns.market import Market
from tests.integration.campaigns.test_call_fan_out import (
    test_a_number_that_a_call_has_found_bad_is_not_called_for_half_a_year,
    test_calls_that_fail_pause_it_and_people_who_are_busy_do_not,
    test_two_processes_that_draw_the_deferred_anew_let_them_wait_once,
    test_whoever_waits_ends_with_the_blast_and_keeps_what_came_of_the_last_call,
)
from tests.integration.campaigns.test_call_results import (
    test_everybody_is_counted_once,
    test_unknown_calls_are_listed_page_by_page_by_the_firms_own_names,
    test_what_people_did_after_the_call_counts_against_the_holdout,
)
from tests.integration.campaigns.test_cascade import (
    test_pass_after_pass_finds_everybody_and_nobody_twice,
    test_texts_without_a_receipt_keep_it_waiting_though_the_blast_is_over,
    test_who_got_no_text_is_called_and_who_did_or_may_have_is_not,
)

__all__ = [
    "dialling",
    "test_a_number_that_a_call_has_found_bad_is_not_called_for_half_a_year",
    "test_calls_that_fail_pause_it_and_people_who_are_busy_do_not",
    "test_everybody_is_counted_once",
    "test_pass_after_pass_finds_everybody_and_nobody_twice",
    "test_texts_without_a_receipt_keep_it_waiting_though_the_blast_is_over",
    "test_two_processes_that_draw_the_deferred_anew_let_them_wait_once",
    "test_unknown_calls_are_listed_page_by_page_by_the_firms_own_names",
    "test_what_people_did_after_the_call_counts_against_the_holdout",
    "test_who_got_no_text_is_called_and_who_did_or_may_have_is_not",
    "test_whoever_waits_ends_with_the_blast_and_keeps_what_came_of_the_last_call",
]


def test_processes_at_once_take_each_of_the_unreached_once(market: Market, dialling: Dialling) -> None:
    """SQLite lets one write at a time; here several are really under way together."""
    numbers = market.shoppers(60)
    calls = dialling.launched()
    texts = market.launched(follows=calls.id)
    market.fan_out(calls)
    dialling.end(calls, Outcome.BUSY)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(market.fan_out, texts) for _ in range(4)]:
            done.result()
    assert Counter(number for number, _ in market.waiting()) == Counter(numbers)
