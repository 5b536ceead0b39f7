"""From a code to whose it is: the boundaries of series and print batches."""

from __future__ import annotations

import pytest

from gateway.domain.codes.candidate import Candidate, CodeForm
from gateway.domain.codes.catalog import Issued, Series, ShortNumber, SpaceRoute
from gateway.domain.codes.codespace import CodeSpace

SPACE = CodeSpace(id=7, alphabet="digits", length=13, key="11" * 32)
SUMMER = Series(id=1, campaign_id=10, firm_id=100, first=0, size=100, batches=((0, 1), (40, 2), (99, 3)))
WINTER = Series(id=2, campaign_id=20, firm_id=200, first=100, size=1, batches=((100, 4),))
LATER = Series(id=3, campaign_id=10, firm_id=100, first=150, size=50, batches=((150, 5),))
ROUTE = SpaceRoute(space=SPACE, series=(SUMMER, WINTER, LATER), firsts=(0, 100, 150))
NUMBER = ShortNumber(
    number="4040",
    host_firm_id=100,
    firm_ids=(100, 200),
    language="uk",
    routes={("digits", 13): ROUTE},
    forms=(CodeForm(alphabet="digits", length=13),),
)

# serial -> (series, batch, campaign, firm), or None where nothing was issued
WHOSE = [
    pytest.param(0, (1, 1, 10, 100), id="first of all"),
    pytest.param(39, (1, 1, 10, 100), id="last of a batch"),
    pytest.param(40, (1, 2, 10, 100), id="first of the next batch"),
    pytest.param(98, (1, 2, 10, 100), id="last of the second batch"),
    pytest.param(99, (1, 3, 10, 100), id="a batch of one, last of a series"),
    pytest.param(100, (2, 4, 20, 200), id="another firm's series of one"),
    pytest.param(101, None, id="behind a series"),
    pytest.param(149, None, id="before a series"),
    pytest.param(150, (3, 5, 10, 100), id="first behind a gap"),
    pytest.param(199, (3, 5, 10, 100), id="last that was issued"),
    pytest.param(200, None, id="never issued"),
    pytest.param(9_999_999, None, id="far away"),
]


@pytest.mark.parametrize(("serial", "whose"), WHOSE)
def test_whose_a_serial_is(serial: int, whose: tuple[int, int, int, int] | None) -> None:
    expected = None
    if whose is not None:
        series, batch, campaign, firm = whose
        expected = Issued(
            space_id=7, serial=serial, series_id=series, batch_id=batch, campaign_id=campaign, firm_id=firm
        )

    assert expected == ROUTE.resolve(SPACE.encode(serial))


def test_route_without_series_resolves_nothing() -> None:
    assert SpaceRoute(space=SPACE, series=(), firsts=()).resolve(SPACE.encode(0)) is None


def test_series_that_begins_later_leaves_what_is_before() -> None:
    route = SpaceRoute(space=SPACE, series=(LATER,), firsts=(150,))

    assert route.resolve(SPACE.encode(149)) is None


@pytest.mark.parametrize(
    ("alphabet", "symbols"),
    [("digits", SPACE.encode(0)[:-1]), ("digits", SPACE.encode(0) + "0"), ("letters", SPACE.encode(0))],
    ids=["a digit short", "a digit more", "another alphabet"],
)
def test_what_no_space_has(alphabet: str, symbols: str) -> None:
    assert NUMBER.resolve(Candidate(alphabet=alphabet, symbols=symbols)) is None


def test_number_finds_the_space_of_a_form() -> None:
    found = NUMBER.resolve(Candidate(alphabet="digits", symbols=SPACE.encode(150)))

    assert found is not None
    assert (found.series_id, found.serial) == (3, 150)
