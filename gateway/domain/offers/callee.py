"""Whom an offer call reaches, and for which blast. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """`number`: E.164 digits without plus. `language`: uk, ru, kk or en, of the recordings and of the SMS.

    `short_number`: the blast's; the SMS leaves from it, and a refusal covers its firms.
    """

    shopper_id: int
    number: str = field(repr=False)
    firm_id: int
    blast_id: int
    short_number: str
    language: str
