"""The id of a text: its answer, its effects and its log lines carry it."""

from __future__ import annotations

RANDOM_OCTETS = 6


def message_id(at_ms: int, random: bytes) -> str:
    """24 hexadecimal digits: when it came (ms since 1970), then RANDOM_OCTETS octets of chance.

    Ids of one time stand together in the ledger's indexes, so that a batch touches few pages.

    >>> message_id(1_760_000_000_000, bytes(6))
    '0199c82cc000000000000000'
    """
    return f"{at_ms:012x}{random.hex()}"
