"""The decision, country by country: hours where the person is, days of rest, clock changes, caps, consent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config import policies
from gateway.domain.consent.word import Channel, Consent, Purpose
from gateway.domain.policy.decide import Contact, decide
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny, Reason

UA, KZ, RU, RU_MOSCOW = "380671234567", "77011234567", "79161234567", "74951234567"
DE, PT, NEW_YORK, TWO_ZONES, TORONTO = (
    "4915112345678",
    "351911234567",
    "12125551234",
    "18505551234",
    "14165551234",
)
NO = Deny(Reason.NO_CONSENT)


def ms(moment: str) -> int:
    """UTC."""
    return int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp() * 1000)


def decided(
    number: str,
    at: str,
    channel: str = "sms",
    consent: Consent = Consent.GIVEN,
    attempts: int = 0,
    contacted: tuple[str, ...] = (),
) -> Decision:
    contact = Contact(
        number=number, consent=consent, attempts=attempts, contacted=tuple(ms(moment) for moment in contacted)
    )
    return decide(contact, Channel(channel), Purpose.MARKETING, ms(at), policies.load())


def until(at: str, reason: Reason) -> Defer:
    return Defer(ms(at), reason)


HOURS, DAY = Reason.HOURS, Reason.DAY
# A Tuesday in May 2026 unless told otherwise; Kyiv is at +3 in summer and +2 in winter.
TIMES = [
    ("UA opens at nine", UA, "2026-05-12T06:00", Allow()),
    ("UA a millisecond before", UA, "2026-05-12T05:59:59.999", until("2026-05-12T06:00", HOURS)),
    ("UA the last millisecond", UA, "2026-05-12T16:59:59.999", Allow()),
    ("UA closes at twenty", UA, "2026-05-12T17:00", until("2026-05-13T06:00", HOURS)),
    ("UA Saturday opens later", UA, "2026-05-16T06:30", until("2026-05-16T07:00", HOURS)),
    ("UA Saturday night waits for Monday", UA, "2026-05-16T17:00", until("2026-05-18T06:00", HOURS)),
    ("UA Sunday", UA, "2026-05-17T10:00", until("2026-05-18T06:00", DAY)),
    ("UA a holiday", UA, "2026-08-24T10:00", until("2026-08-25T06:00", DAY)),
    ("UA clock goes forward on Sunday: Monday opens in summer time", UA, "2026-03-28T18:00",
     until("2026-03-30T06:00", HOURS)),
    ("UA clock goes back on Sunday: Monday opens in winter time", UA, "2026-10-24T18:00",
     until("2026-10-26T07:00", HOURS)),
    ("KZ is at +5", KZ, "2026-05-12T04:00", Allow()),
    ("KZ an hour earlier, as before 2024-03-01", KZ, "2026-05-12T03:00", until("2026-05-12T04:00", HOURS)),
    ("KZ was at +6 then", KZ, "2024-02-28T03:00", Allow()),
    ("KZ closes at 21", KZ, "2026-05-12T16:00", until("2026-05-13T04:00", HOURS)),
    ("KZ weekend", KZ, "2026-05-16T08:00", until("2026-05-18T04:00", DAY)),
    ("KZ Nauryz, three days and a weekend", KZ, "2027-03-19T16:00", until("2027-03-24T04:00", HOURS)),
    ("RU a fixed line in Moscow", RU_MOSCOW, "2026-05-12T06:00", Allow()),
    ("RU a mobile: Kaliningrad still sleeps", RU, "2026-05-12T06:59", until("2026-05-12T07:00", HOURS)),
    ("RU a mobile: two hours are allowed everywhere", RU, "2026-05-12T07:00", Allow()),
    ("RU a mobile: Kamchatka goes to bed", RU, "2026-05-12T09:00", until("2026-05-13T07:00", HOURS)),
    ("RU a mobile on Saturday night in the east", RU, "2026-05-16T12:30", until("2026-05-18T07:00", DAY)),
    ("EU Berlin", DE, "2026-05-12T07:00", Allow()),
    ("EU Berlin on Sunday", DE, "2026-05-17T10:00", until("2026-05-18T07:00", DAY)),
    ("EU Portugal: the Azores open last", PT, "2026-05-12T08:30", until("2026-05-12T09:00", HOURS)),
    ("US New York at eight", NEW_YORK, "2026-05-12T12:00", Allow()),
    ("US New York a minute before", NEW_YORK, "2026-05-12T11:59", until("2026-05-12T12:00", HOURS)),
    ("US New York closes at 21", NEW_YORK, "2026-05-13T01:00", until("2026-05-13T12:00", HOURS)),
    ("US on Sunday", NEW_YORK, "2026-05-17T12:00", Allow()),
    ("US clock went forward this night", NEW_YORK, "2026-03-08T11:59", until("2026-03-08T12:00", HOURS)),
    ("US clock went back this night", NEW_YORK, "2026-11-01T12:00", until("2026-11-01T13:00", HOURS)),
    ("US two zones: opens in the later one", TWO_ZONES, "2026-05-12T12:00", until("2026-05-12T13:00", HOURS)),
    ("US two zones: closes in the first", TWO_ZONES, "2026-05-13T01:00", until("2026-05-13T13:00", HOURS)),
    ("US Thanksgiving of one year", NEW_YORK, "2026-11-26T15:00", until("2026-11-27T13:00", DAY)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "number", "at", "expected"), TIMES, ids=[row[0] for row in TIMES])
def test_times(label: str, number: str, at: str, expected: Decision) -> None:
    del label
    assert expected == decided(number, at)


DENIED = [
    ("no pack: Canada is not the US", decided(TORONTO, "2026-05-12T15:00"), Deny(Reason.NO_POLICY)),
    ("no pack: no country", decided("99912345678", "2026-05-12T15:00"), Deny(Reason.NO_POLICY)),
    ("a no comes before everything", decided("99912345678", "2026-05-12T15:00", consent=Consent.WITHDRAWN),
     Deny(Reason.WITHDRAWN)),
    ("RU: no automatic calls", decided(RU_MOSCOW, "2026-05-12T08:00", "call"), Deny(Reason.FORBIDDEN)),
    ("what is denied for good does not wait for the morning",
     decided(UA, "2026-05-12T23:00", consent=Consent.NEVER), NO),
    *((f"{name}: silence is no yes, {channel}", decided(number, at, channel, Consent.NEVER), NO)
      for name, number, at in (("UA", UA, "2026-05-12T10:00"), ("KZ", KZ, "2026-05-12T10:00"),
                               ("EU", DE, "2026-05-12T10:00"), ("US", NEW_YORK, "2026-05-12T15:00"))
      for channel in ("sms", "call")),
    ("two attempts of three", decided(UA, "2026-05-12T10:00", "call", attempts=2), Allow()),
    ("three of three", decided(UA, "2026-05-12T10:00", "call", attempts=3), Deny(Reason.ATTEMPTS)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "found", "expected"), DENIED, ids=[row[0] for row in DENIED])
def test_denied(label: str, found: Decision, expected: Decision) -> None:
    del label
    assert expected == found


CAPS = [
    ("one yesterday", ("2026-05-11T09:59",), Allow()),
    ("one a day: 24 hours to the minute", ("2026-05-11T10:30",), until("2026-05-12T10:30", Reason.CAP_DAY)),
    ("free at night: in the morning", ("2026-05-12T09:00", ), until("2026-05-13T09:00", Reason.CAP_DAY)),
    ("three a week", ("2026-05-06T12:00", "2026-05-08T12:00", "2026-05-10T12:00"),
     until("2026-05-13T12:00", Reason.CAP_WEEK)),
    ("three, one of them more than a week ago", ("2026-05-05T09:59", "2026-05-08T12:00", "2026-05-10T12:00"),
     Allow()),
    ("free on a Sunday: on Monday", ("2026-05-10T08:00", "2026-05-11T08:00", "2026-05-12T08:00"),
     until("2026-05-18T06:00", Reason.CAP_WEEK)),
]  # fmt: skip


@pytest.mark.parametrize(("label", "contacted", "expected"), CAPS, ids=[row[0] for row in CAPS])
def test_caps(label: str, contacted: tuple[str, ...], expected: Decision) -> None:
    del label
    assert expected == decided(UA, "2026-05-12T10:00", contacted=contacted)


@pytest.mark.parametrize("number", [UA, KZ, RU, RU_MOSCOW, DE, PT, NEW_YORK, TWO_ZONES])
@pytest.mark.parametrize(
    "start", ["2026-01-01T00:00", "2026-03-27T00:00", "2026-10-23T00:00", "2026-12-24T00:00"]
)
def test_the_moment_told_is_the_first_that_is_allowed(number: str, start: str) -> None:
    """At moments all over four days with a holiday or a change of the clock in them."""
    for quarter in range(0, 4 * 96, 7):
        at = ms(start) + quarter * 900_000
        found = allowed_at(number, at)
        if isinstance(found, Allow):
            continue
        assert isinstance(found, Defer)
        assert allowed_at(number, found.until) == Allow()
        assert not isinstance(allowed_at(number, found.until - 1), Allow)


def allowed_at(number: str, at: int) -> Decision:
    contact = Contact(number=number, consent=Consent.GIVEN)
    return decide(contact, Channel.SMS, Purpose.MARKETING, at, policies.load())
