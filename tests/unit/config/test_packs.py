"""Policy packs: every one loads whole, names its sources, and a fault in one is named."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest
from phonenumbers.tzdata import TIMEZONE_DATA

from config import policies
from config.policies import PACKS, PolicyError, joined, parse

UA = files("config.policies").joinpath("ua.toml").read_text(encoding="utf-8")
AT = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.mark.parametrize("name", PACKS)
def test_each_pack_names_its_sources_and_how_to_identify(name: str) -> None:
    pack = policies.load().packs[name]
    assert all(pack.sources)
    assert pack.identification
    assert all(rules.identify for rules in pack.channels.values() if rules.allowed)


def test_a_pack_needs_consent_everywhere() -> None:
    rules = [rules for pack in policies.load().packs.values() for rules in pack.channels.values()]
    assert all(one.consent for one in rules)
    assert policies.load().packs["us"].channels["call"].min_ring_s >= 15
    assert not policies.load().packs["ru"].channels["call"].allowed


def offsets(zones: tuple[str, ...]) -> set[object]:
    return {AT.astimezone(ZoneInfo(zone)).utcoffset() for zone in zones}


@pytest.mark.parametrize("prefix", [p for p in policies.load().packs["ru"].zones if len(p) == 4])
def test_zones_of_russian_regions_are_no_fewer_than_libphonenumbers(prefix: str) -> None:
    """Saratov (845) moved to +4 in 2016, Volgograd (844) back to +3 in 2020."""
    known = next(TIMEZONE_DATA[prefix[:n]] for n in (4, 3, 2) if prefix[:n] in TIMEZONE_DATA)
    ours = policies.load().packs["ru"].zones[prefix]
    assert offsets(ours) >= offsets(known) or (prefix, ours) == ("7845", ("Europe/Samara",))


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        ('title = "Ukraine"\n', "", "ua: title: is missing"),
        ("sources = [", "sources = []\nother = [", "ua: other: no such setting"),
        ("Europe/Kyiv", "Europe/Kiew", "ua: zones: 'Europe/Kiew' is no IANA zone"),
        ('prefixes = "380"', 'prefixes = "380 0380"', "ua: prefix '0380'"),
        ('prefixes = "380"', 'prefixes = "380 380"', "ua: prefix 380: is listed twice"),
        ('prefixes = "380"', 'prefixes = ""', "ua: prefixes: no number is covered"),
        ('"12-25"', '"13-25"', "ua: holidays: '13-25' is no day"),
        ('monday = "09:00-20:00"', 'monday = "20:00-09:00"', "ua: sms.hours.monday: '20:00-09:00'"),
        ('monday = "09:00-20:00"', 'monday = "9-20"', "ua: sms.hours.monday: '9-20'"),
        ('sunday = "closed"\n', "", "ua: sms.hours.sunday: is missing"),
        ("per_week = 3", "per_week = 0", "ua: sms.per_week"),
        ("per_day = 1", "per_day = true", "ua: sms.per_day: is no int"),
        ('uk = "Це {firm}."', 'uk = "Це ми."', "ua: identification.uk"),
        ("allowed = true", "allowed = true = 1", "ua: is not TOML"),
    ],
)
def test_a_fault_is_named(was: str, now: str, fault: str) -> None:
    assert was in UA
    with pytest.raises(PolicyError) as raised:
        parse("ua", UA.replace(was, now, 1))
    assert fault in str(raised.value)


def test_two_packs_for_one_prefix_are_refused() -> None:
    with pytest.raises(PolicyError, match="two: prefix 380: one covers it, too"):
        joined([parse("one", UA), parse("two", UA)])
