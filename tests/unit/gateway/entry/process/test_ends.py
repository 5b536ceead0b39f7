"""How an end is followed: delays, and what is told once and what each time."""

from __future__ import annotations

from gateway.entry.process.ends import HEALTHY_S, End, EndKind, Restarts, how_it_ended

CRASH = End(kind=EndKind.CRASH, reason="exit code 1")
PORT = End(kind=EndKind.SET_UP, reason="port 8080 is in use")
DISK = End(kind=EndKind.STORAGE, reason="disk full")


def follow(*ends: tuple[End, float]) -> list[tuple[float, bool]]:
    """For each end (with the seconds that it was ready before): the delay, and whether it is told."""
    restarts, seen = Restarts(), []
    for end, ready_s in ends:
        restarts, following = restarts.after("smpp", end, ready_s=ready_s)
        seen.append((following.delay_s, bool(following.words)))
    return seen


def test_a_crash_is_told_each_time_with_growing_and_capped_delays() -> None:
    expected = [(0.25, True), (0.5, True), (1, True), (2, True), (4, True), (8, True), (16, True)]
    assert follow(*[(CRASH, 1.0)] * 9) == [*expected, (30, True), (30, True)]


def test_a_long_run_wipes_the_slate() -> None:
    assert follow((CRASH, 0), (CRASH, 0), (CRASH, HEALTHY_S))[-1] == (0.25, True)


def test_a_fault_of_the_set_up_is_told_once_and_tried_slowly() -> None:
    assert follow(*[(PORT, 0)] * 3) == [(30, True), (30, False), (30, False)]


def test_another_fault_is_told() -> None:
    other = End(kind=EndKind.SET_UP, reason="Redis 6 is too old")
    assert follow((PORT, 0), (other, 0), (other, 0)) == [(30, True), (30, True), (30, False)]


def test_storage_is_told_once_and_tried_soon() -> None:
    expected = [(1, True), (2, False), (4, False), (8, False), (10, False), (10, False)]
    assert follow(*[(DISK, 0.1)] * 6) == expected


def test_the_delay_begins_anew_for_another_kind() -> None:
    assert follow((CRASH, 0), (CRASH, 0), (DISK, 0), (CRASH, 0)) == [
        (0.25, True),
        (0.5, True),
        (1, True),
        (0.25, True),
    ]


def test_years_of_failures_do_not_overflow() -> None:
    restarts = Restarts(failures=10**9, last=CRASH)
    assert restarts.after("smpp", CRASH, ready_s=0)[1].delay_s == 30


def test_words_are_one_line() -> None:
    assert Restarts().after("smpp", CRASH, ready_s=0)[1].words == (
        "smpp ended (exit code 1); started again in 0.25 s"
    )
    assert Restarts().after("api", PORT, ready_s=0)[1].words == (
        "api cannot run: port 8080 is in use (tried again every 30 s)"
    )


def test_exit_codes_in_words() -> None:
    assert [how_it_ended(code) for code in (None, 0, 3, -9, -6)] == [
        "gone",
        "exit code 0",
        "exit code 3",
        "killed by SIGKILL",
        "killed by SIGABRT",
    ]
