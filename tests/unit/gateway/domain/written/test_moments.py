"""Moments as people write them, in zones that keep their own midnight."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from gateway.domain.written import moments
from gateway.domain.written.moments import NoMoment

KYIV = ZoneInfo("Europe/Kyiv")
NEW_YORK = ZoneInfo("America/New_York")
BEIRUT = ZoneInfo("Asia/Beirut")  # puts the clock forward at midnight


def at(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M}"


@pytest.mark.parametrize(
    ("text", "zone", "begins", "ends"),
    [
        ("2026-11-30", KYIV, "2026-11-29T22:00", "2026-11-30T22:00"),
        ("2026-12-01", NEW_YORK, "2026-12-01T05:00", "2026-12-02T05:00"),
        ("2026-03-29", KYIV, "2026-03-28T22:00", "2026-03-29T21:00"),  # a day of 23 hours
        ("2026-03-29", BEIRUT, "2026-03-28T22:00", "2026-03-29T21:00"),
        ("2026-11-30T18:00", KYIV, "2026-11-30T16:00", "2026-11-30T16:00"),
        ("2026-11-30T18:00+05:00", KYIV, "2026-11-30T13:00", "2026-11-30T13:00"),
        ("20261130", UTC, "2026-11-30T00:00", "2026-12-01T00:00"),
        ("2099-12-31", UTC, "2099-12-31T00:00", "2100-01-01T00:00"),
    ],
)
def test_days_are_those_of_the_zone_and_the_last_is_in_it_whole(
    text: str, zone: ZoneInfo, begins: str, ends: str
) -> None:
    assert at(moments.beginning(text, zone)) == begins
    assert at(moments.end(text, zone)) == ends


@pytest.mark.parametrize(
    "text", ["", "soon", "0001-01-01", "9999-12-31", "1999-12-31", "2026-02-30", "30.11.2026", "\x00"]
)
def test_what_is_no_moment_is_told_with_how_one_is_written(text: str) -> None:
    for read in (moments.beginning, moments.end):
        with pytest.raises(NoMoment, match="is not a date such as 2026-05-01"):
            read(text, UTC)


@pytest.mark.parametrize("zone", [UTC, KYIV, NEW_YORK, BEIRUT])
@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-11-30"])
def test_a_table_tells_the_days_that_were_written(zone: ZoneInfo, day: str) -> None:
    assert moments.first_told(moments.beginning(day, zone), zone) == day
    assert moments.last_told(moments.end(day, zone), zone) == day
    noon = moments.beginning(f"{day}T12:00", zone)
    assert moments.first_told(noon, zone) == moments.last_told(noon, zone) == f"{day} 12:00"
