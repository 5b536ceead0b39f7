"""The soak of a blast crosses hours that it knows itself; the house's packs agree about them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from config import policies
from gateway.domain.consent.word import Channel, Consent, Purpose
from gateway.domain.policy.decide import Contact, decide
from gateway.domain.policy.verdict import Allow
from tests.soak import hours


@pytest.mark.parametrize("now", [datetime(2026, 11, 25, tzinfo=UTC), datetime(2027, 7, 1, tzinfo=UTC)])
def test_three_close_at_one_moment_each_at_its_own_hour_and_one_opens(now: datetime) -> None:
    moment = hours.next_crossing(now)
    assert moment > now
    assert len({region.closes for region in hours.CLOSING}) == 3
    for at in (moment - timedelta(seconds=1), moment):
        for region in hours.REGIONS:
            contact = Contact(number=region.numbers(1)[0], consent=Consent.GIVEN)
            decision = decide(
                contact, Channel.SMS, Purpose.MARKETING, int(at.timestamp() * 1000), policies.load()
            )
            assert region.open_at(at) is isinstance(decision, Allow), region
    assert [region.open_at(moment) for region in hours.REGIONS] == [False, False, False, True, True]
