"""The newer time zone data wins, and nobody is contacted by the hours of a law that is gone."""

from __future__ import annotations

import shutil
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from config import policies
from config.settings import Settings
from gateway.domain.policy import hours
from gateway.entry.doctor import checks_here
from gateway.entry.doctor.findings import Level
from gateway.entry.process import zone_data

ALMATY = ("Asia/Almaty",)


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A system's folder in which Almaty is six hours ahead, as it was until 2024."""
    place = tmp_path / "zoneinfo"
    (place / "Asia").mkdir(parents=True)
    with as_file(files("tzdata.zoneinfo.Asia").joinpath("Dhaka")) as six_hours_ahead:
        shutil.copy(six_hours_ahead, place / "Asia" / "Almaty")
    monkeypatch.setenv("PYTHONTZPATH", str(place))
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()
    hours._first_minute.cache_clear()
    hours._window.cache_clear()
    yield place
    monkeypatch.undo()
    zone_data.use_newest()
    hours._first_minute.cache_clear()
    hours._window.cache_clear()


def first_call(at: datetime) -> datetime:
    rules = policies.load().packs["kz"]
    ms = hours.first_allowed(rules, rules.channels["sms"], ALMATY, int(at.timestamp() * 1000))
    assert ms is not None
    return datetime.fromtimestamp(ms / 1000, UTC)


def test_kazakh_mornings_begin_by_todays_law_on_a_system_of_2023(system: Path) -> None:
    (system / "tzdata.zi").write_text("# version 2023c\n", encoding="ascii")
    early = datetime(2026, 6, 10, 2, 59, tzinfo=UTC)  # a Wednesday; 07:59 there, 08:59 by the old files
    before = first_call(early)
    hours._first_minute.cache_clear()
    hours._window.cache_clear()
    assert not zone_data.use_newest().system
    assert before == datetime(2026, 6, 10, 3, 0, tzinfo=UTC)
    assert first_call(early) == datetime(2026, 6, 10, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "system_wins"),
    [("# version 2999a\n", True), (None, False), ("", False), ("no line of theirs\n", False)],
)
def test_the_newer_wins_and_one_without_a_version_is_older(
    system: Path, told: str | None, system_wins: bool
) -> None:
    if told is not None:
        (system / "tzdata.zi").write_text(told, encoding="ascii")
    assert zone_data.use_newest().system is system_wins
    assert datetime(2026, 6, 10, tzinfo=ZoneInfo("Asia/Almaty")).utcoffset() is not None


@pytest.mark.usefixtures("system")
def test_the_doctor_tells_its_age(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks_here.zones(Settings()).level is Level.OK
    monkeypatch.setattr(tzdata, "IANA_VERSION", "2019c")
    found = checks_here.zones(Settings())
    assert (found.level, "2019c" in found.told) == (Level.WARN, True)
