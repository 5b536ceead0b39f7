"""When a link is gone for too long, and when it is back."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.domain.links.absence import Absence


def look(absence: Absence, looks: Iterable[tuple[float, bool, int]]) -> list[tuple[bool, bool]]:
    """After each look: whether it is over, whether it lasts too long."""
    seen = []
    for now, bound, outages in looks:
        absence.look(now, bound=bound, outages=outages)
        seen.append((absence.over, absence.too_long(now)))
    return seen


def test_a_link_that_stands_is_not_gone() -> None:
    assert look(Absence(30), [(0, True, 0), (100, True, 0)]) == [(True, False)] * 2


def test_gone_until_it_has_stood_for_a_while() -> None:
    looks = [(0, False, 0), (29, False, 0), (30, False, 0), (31, True, 0), (34, True, 0), (35, True, 0)]
    assert look(Absence(30), looks) == [
        *((False, False), (False, False), (False, True), (False, True), (False, True)),
        (True, False),
    ]


def test_a_short_outage_has_no_consequences() -> None:
    looks = [(0, True, 0), (1, False, 1), (2, True, 1), (6, True, 1), (40, True, 1)]
    assert [too_long for _, too_long in look(Absence(30), looks)] == [False] * 5


def test_one_that_is_bound_at_each_look_and_lost_between_them_is_gone() -> None:
    seen = look(Absence(30), [(second, True, second) for second in range(40)])
    assert seen[:30] == [(True, False), *[(False, False)] * 29]
    assert seen[31:] == [(False, True)] * 9


def test_where_little_is_waited_for_little_steadiness_will_do() -> None:
    assert look(Absence(1), [(0, True, 1), (0.5, True, 1)]) == [(False, False), (True, False)]
