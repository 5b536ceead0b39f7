"""A clock at which marketing is allowed, whenever a test runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def to_noon_of_a_tuesday() -> int:
    """Seconds from now to a moment that Ukrainian hours allow."""
    now = datetime.now(UTC)
    noon = now.astimezone(ZoneInfo("Europe/Kyiv")).replace(hour=12, minute=0, second=0, microsecond=0)
    while noon < now or noon.weekday() != 1 or noon.month not in (4, 9, 11):  # months without holidays
        noon += timedelta(days=1)
    return int((noon - now).total_seconds())
