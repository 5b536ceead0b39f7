"""The keys of shoppers who were erased: random, so that nobody's number leads to them."""

from __future__ import annotations

import secrets
from typing import Final

_FIRST: Final = "!"  # in no index of a number, nor a separator of any body or Redis key


def new_key() -> str:
    """A shopper key of nobody, 22 characters."""
    return _FIRST + secrets.token_urlsafe(16)[:21]


def is_nobody(shopper: str) -> bool:
    """Whether a shopper key is of somebody who was erased."""
    return shopper.startswith(_FIRST)
