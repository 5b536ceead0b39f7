"""The decision about one marketing message or call. Pure: the person and the time are arguments."""

from __future__ import annotations

from dataclasses import dataclass, field

from config.policies import ChannelRules, Pack, Policies
from gateway.domain.consent.word import Channel, Consent, Purpose
from gateway.domain.policy.caps import free_at, over_week
from gateway.domain.policy.hours import closed_day, first_allowed
from gateway.domain.policy.verdict import Allow, Decision, Defer, Deny, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """What is known of the person who would be reached, for the channel in question.

    `number`: E.164 digits. `consent`: to the firm, for this channel. `attempts`: of this blast so far.
    `contacted`: when marketing of any firm reached them by this channel, ms since 1970, ascending.
    """

    number: str = field(repr=False)
    consent: Consent
    attempts: int = 0
    contacted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """The rules that hold for a number and a channel, and the zones in which the person may be."""

    pack: Pack
    rules: ChannelRules
    zones: tuple[str, ...]


def terms_of(number: str, channel: Channel, policies: Policies) -> Terms | None:
    """The terms of a number (E.164 digits); None where no pack covers it."""
    covering = policies.covering(number)
    if covering is None:
        return None
    pack, zones = covering
    return Terms(pack, pack.channels[channel], zones)


def decide(contact: Contact, channel: Channel, purpose: Purpose, now: int, policies: Policies) -> Decision:
    """May this contact be made now? `now`: ms since 1970. What is denied for good comes before what can wait.

    `purpose`: marketing, the only one that a pack has rules for.
    """
    terms = terms_of(contact.number, channel, policies)
    denied = _denied(contact, terms, purpose)
    if denied is not None or terms is None:
        return Deny(denied or Reason.NO_POLICY)
    rules = terms.rules
    free = free_at(rules, contact.contacted, now)
    if free > now:
        cap = Reason.CAP_WEEK if over_week(rules, contact.contacted, now) else Reason.CAP_DAY
        return put_off(terms, free, cap)
    if first_allowed(terms.pack, rules, terms.zones, now) == now:
        return Allow()
    resting = closed_day(terms.pack, rules, terms.zones, now)
    return put_off(terms, now, Reason.DAY if resting else Reason.HOURS)


def _denied(contact: Contact, terms: Terms | None, purpose: Purpose) -> Reason | None:
    """What no waiting mends."""
    if contact.consent is Consent.WITHDRAWN:
        return Reason.WITHDRAWN
    if terms is None or purpose is not Purpose.MARKETING:
        return Reason.NO_POLICY
    checks = (
        (not terms.rules.allowed, Reason.FORBIDDEN),
        (terms.rules.consent and contact.consent is not Consent.GIVEN, Reason.NO_CONSENT),
        (contact.attempts >= terms.rules.max_attempts, Reason.ATTEMPTS),
        (not terms.zones, Reason.NO_ZONE),
    )
    return next((reason for holds, reason in checks if holds), None)


def put_off(terms: Terms, at: int, reason: Reason) -> Decision:
    """Until the first moment from `at` on that is within the hours; where there is none, not at all."""
    first = first_allowed(terms.pack, terms.rules, terms.zones, at)
    return Deny(Reason.FORBIDDEN) if first is None else Defer(first, reason)
