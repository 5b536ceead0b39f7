"""Aliases: nine digits in three groups, eight of them a permuted counter, the ninth a check digit.

A counter never comes twice and its permutation (FF1, NIST SP 800-38G) shows no order, so an alias is
never reused and tells nothing of the number or of another alias. The check digit is Verhoeff's
(python-stdnum), which finds every single wrong digit and every swap of neighbours.
"""

from __future__ import annotations

from fastfpe import ff1
from stdnum import verhoeff

_DIGITS = "0123456789"
BODY = 8


def alias_of(counter: int, key: str) -> str:
    """The alias of a counter (0 … 99,999,999). `key`: 32 bytes as hex. Raises ValueError beyond."""
    if not 0 <= counter < 10**BODY:
        raise ValueError(f"alias counter {counter} does not fit {BODY} digits")
    body = ff1.encrypt(key, "", _DIGITS, str(counter).zfill(BODY))
    return str(body + verhoeff.calc_check_digit(body))


def counter_of(alias: str, key: str) -> int | None:
    """The counter behind nine digits as said at a till (spaces allowed); None when the check digit is wrong.

    >>> counter_of(alias_of(7, "00" * 32), "00" * 32)
    7
    """
    digits = alias.replace(" ", "")
    if (
        len(digits) != BODY + 1
        or not digits.isascii()
        or not digits.isdigit()
        or not verhoeff.is_valid(digits)
    ):
        return None
    return int(ff1.decrypt(key, "", _DIGITS, digits[:BODY]))
