"""In which country a time zone is: the table that comes with the zones (`zone.tab`, ISO 3166)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files


def country_of(zone: str) -> str:
    """The country of an IANA zone, such as UA; empty where it is none's, such as UTC.

    >>> country_of("Europe/Kyiv"), country_of("Europe/Kiev"), country_of("Asia/Almaty"), country_of("UTC")
    ('UA', 'UA', 'KZ', '')
    """
    return _countries().get(_names().get(zone, zone), "")


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, str]:
    """Zone -> country. A zone of several countries stands there under the one that it is named in."""
    rows = (line.split("\t") for line in _lines("zone.tab") if not line.startswith("#"))
    return {row[2].strip(): row[0] for row in rows if len(row) > 2}


@lru_cache(maxsize=1)
def _names() -> Mapping[str, str]:
    """Old names -> the name of today, as far as that has a country."""
    links = (line.split() for line in _lines("tzdata.zi") if line.startswith("L "))
    return {old: today for _, today, old in links if today in _countries() and old not in _countries()}


def _lines(name: str) -> list[str]:
    return files("tzdata.zoneinfo").joinpath(name).read_text(encoding="utf-8").splitlines()
