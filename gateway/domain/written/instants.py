"""Instants as ms since 1970: asked for within bounds, and told whatever stands.

>>> told(0), told(10**20), told(None)
('1970-01-01T00:00:00.000+00:00', '9999-12-31T23:59:59.999+00:00', None)
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, overload

# What is before or behind was mistyped, or is somebody's trial of what we do with it.
EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MS: Final = -62_135_596_800_000  # of year 1
_LAST_MS: Final = 253_402_300_799_999  # of year 9999
_MS: Final = timedelta(milliseconds=1)


def ms_of(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware moment, exactly."""
    return (moment - _BEGINNING) // _MS


def fits(moment: datetime) -> bool:
    """Whether an aware moment is one that anybody can mean."""
    return EARLIEST <= moment < LATEST


def utc(ms: int) -> datetime:
    """A moment of ms since 1970; one that no calendar has is told as the first or the last."""
    return _BEGINNING + max(_FIRST_MS, min(ms, _LAST_MS)) * _MS


@overload
def told(ms: int, timespec: str = ...) -> str: ...
@overload
def told(ms: None, timespec: str = ...) -> None: ...
@overload
def told(ms: int | None, timespec: str = ...) -> str | None: ...


def told(ms: int | None, timespec: str = "milliseconds") -> str | None:
    """RFC 3339 in UTC. Never fails: an answer about what stands must not."""
    return None if ms is None else utc(ms).isoformat(timespec=timespec)
