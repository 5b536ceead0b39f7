"""Aliases: digits in groups of three, all but the last a permuted counter, the last a check digit.

A counter never comes twice and its permutation (FF1, NIST SP 800-38G) shows no order, so an alias is
never reused and tells nothing of the number or of another alias. The check digit is Verhoeff's
(python-stdnum), which finds every single wrong digit and every swap of neighbours.

A length is left before one alias in twenty of it is given away: nine digits carry the counters below
5,000,000, ten those below 50,000,000, and so on. Aliases of two lengths are never the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastfpe import ff1
from stdnum import verhoeff

from gateway.domain.codes.alphabet import clean

_DIGITS = "0123456789"
SHORTEST = 8  # permuted digits
LONGEST = 18  # a counter of 64 bits needs no more
_SHARE = 20  # of the aliases of a length, one in so many is given away at most
_BETWEEN = re.compile(r"[\s.\-]")  # as people write groups
_GROUP = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An alias as it stands. Times in ms since 1970.

    `counter`: what its digits are made of. `message_id`: the text that it was given for; None: a call.
    `ends_at`: when it dies; None for the one that a person has now. `told_at`: when it was last told by call;
    `texted_at`: when a text from its number came after that.
    """

    counter: int
    shopper_id: int
    created_at: int
    message_id: str | None = None
    ends_at: int | None = None
    told_at: int | None = None
    texted_at: int | None = None

    def lives(self, now: int) -> bool:
        """Whether it means its person still."""
        return self.ends_at is None or self.ends_at > now

    def may_spend(self, now: int) -> bool:
        """Whether points may be spent by it.

        A caller's number can be forged, so after it was told by call a text must prove the number first.
        """
        return self.lives(now) and (self.told_at is None or self.texted_at is not None)


def alias_of(counter: int, key: str) -> str:
    """The digits of a counter. `key`: 32 bytes as hex. Raises ValueError below 0 and beyond LONGEST."""
    body = SHORTEST
    while counter >= _end(body):
        body += 1
    if counter < 0 or body > LONGEST:
        raise ValueError(f"there is no alias of counter {counter}")
    permuted = ff1.encrypt(key, "", _DIGITS, str(counter).zfill(body))
    return str(permuted + verhoeff.calc_check_digit(permuted))


def counter_of(said: str, key: str) -> int | None:
    """The counter behind an alias as said at a till (spaces, hyphens, dots and unseen marks do not matter).

    None when the check digit is wrong or no alias reads so. The counter may not be given away yet.

    >>> counter_of(alias_of(7, "00" * 32), "00" * 32)
    7
    """
    digits = _digits_of(said)
    if digits is None:
        return None
    body = len(digits) - 1
    counter = int(ff1.decrypt(key, "", _DIGITS, digits[:body]))
    return counter if _first(body) <= counter < _end(body) else None


def is_well_formed(said: str) -> bool:
    """Whether it may be an alias as far as anybody can see: digits, enough of them, the check digit right.

    What is not was mistyped: it tells nothing, so asking for it is no guess.
    """
    return _digits_of(said) is not None


def _digits_of(said: str) -> str | None:
    digits = _BETWEEN.sub("", clean(said))
    if not (SHORTEST < len(digits) <= LONGEST + 1 and digits.isascii() and digits.isdigit()):
        return None
    return digits if verhoeff.is_valid(digits) else None


def groups(alias: str) -> tuple[str, ...]:
    """The digits as they are said at a till; a last one never stands alone.

    >>> groups("1234567890")
    ('123', '456', '7890')
    """
    before_last = range(0, len(alias) - _GROUP - 1, _GROUP)
    last = len(before_last) * _GROUP
    return (*(alias[at : at + _GROUP] for at in before_last), alias[last:])


def _first(body: int) -> int:
    """The first counter with so many permuted digits."""
    return 0 if body == SHORTEST else _end(body - 1)


def _end(body: int) -> int:
    """The first counter that needs more permuted digits."""
    return int(10**body // _SHARE)
