"""A STOP that names a firm holds for it alone; every other STOP for all firms of the short number."""

from __future__ import annotations

import pytest

from gateway.domain.reading.stop_named import firm_names, named_firms

NAMES = firm_names(
    [
        (1, "cola", "Cola & Co"),
        (2, "7up", "Seven Up"),
        (3, "svitanok", "Світанок"),
        (4, "all", "Stop All"),
        (5, "long", "The Very Big Drinks Company of the North"),
    ]
)
TEXTS = [
    ("STOP Cola", {1}),
    ("stop cola & co!", {1}),
    ("please stop cola thanks", {1}),
    ("СТОП cola", {1}),
    ("Unsubscribe from Cola", {1}),
    ("стоп Світанок", {3}),
    ("відписатися від світанок", {3}),
    ("STOP 7up", {2}),
    ("STOP cola. STOP 7up", {1, 2}),
    ("STOP The Very Big Drinks Company of the North", {5}),
    ("STOP", set()),
    ("STOP all", set()),
    ("STOP cola. STOP", set()),
    ("STOP cola. Do not write to me any more", set()),
    ("STOP Pepsi", set()),
    ("cola", set()),
    ("I like cola", set()),
    ("", set()),
]


@pytest.mark.parametrize(("text", "firms"), TEXTS)
def test_named_firms(text: str, firms: set[int]) -> None:
    assert firms == named_firms(text, NAMES)


def test_a_name_that_two_firms_have_is_nobodys() -> None:
    assert named_firms("STOP cola", firm_names([(1, "cola", "A"), (2, "x", "Cola")])) == frozenset()
