"""What a contact stood on when it left: kept with it, so that it can be told years later why it was made."""

from __future__ import annotations

from typing import NamedTuple

from gateway.domain.consent.word import Channel, Consent


class Basis(NamedTuple):
    """`said_at`: of the word that stood, ms since 1970, 0 where there was none; `decided_at`: by the gate.

    `pack`: the policy pack, empty where none covers the number.
    """

    shopper: str
    blast: str
    channel: Channel
    consent: Consent
    said_at: int
    pack: str
    decided_at: int

    def line(self) -> str:
        """As a line of words without commas inside; `read_basis` reads it."""
        return ",".join(map(str, self))


def read_basis(line: str) -> Basis:
    """What `Basis.line` wrote. Raises ValueError."""
    shopper, blast, channel, consent, said_at, pack, decided_at = line.split(",")
    return Basis(shopper, blast, Channel(channel), Consent(consent), int(said_at), pack, int(decided_at))
