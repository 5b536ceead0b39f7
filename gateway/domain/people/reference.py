"""A firm's own names for shoppers: a permutation of their ids under a key of that firm.

Two firms cannot join their lists: without both keys the two names of one shopper have nothing in common. FF1
(NIST SP 800-38G) over twelve symbols; of the 2**60 names one in a million is somebody's at most, so a
mistyped one is nobody's.
"""

from __future__ import annotations

import re
from typing import Final

from fastfpe import ff1

from gateway.domain.codes.alphabet import clean

_SYMBOLS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_LENGTH: Final = 12
_MOST: Final = 2**40  # ids
_AS_TYPED: Final = str.maketrans("ilo", "110")
_BETWEEN = re.compile(r"[\s\-]+")


def reference_of(shopper: int, key: str) -> str:
    """The name of a shopper id. `key`: the firm's, 32 bytes as hex. Raises ValueError for no id.

    >>> len(reference_of(1, "00" * 32))
    12
    """
    if not 0 < shopper < _MOST:
        raise ValueError("not the id of a shopper")
    digits = []
    for _ in range(_LENGTH):
        shopper, digit = divmod(shopper, len(_SYMBOLS))
        digits.append(_SYMBOLS[digit])
    return str(ff1.encrypt(key, "", _SYMBOLS, "".join(reversed(digits))))


def shopper_of(said: str, key: str) -> int | None:
    """The shopper id behind a reference as a list has it; None where it is no reference of this firm.

    Whether there is such a shopper is for the ledger to say.

    >>> shopper_of(reference_of(7, "00" * 32).upper(), "00" * 32)
    7
    """
    name = _BETWEEN.sub("", clean(said)).lower().translate(_AS_TYPED)
    if len(name) != _LENGTH or set(name) - set(_SYMBOLS):
        return None
    number = 0
    for symbol in ff1.decrypt(key, "", _SYMBOLS, name):
        number = number * len(_SYMBOLS) + _SYMBOLS.index(symbol)
    return number if 0 < number < _MOST else None
