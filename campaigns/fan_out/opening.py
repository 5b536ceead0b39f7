"""The numbers of a page of people; one that cannot be opened is that person's own matter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import structlog

from campaigns.eligibility import Reached
from gateway.store.offers.audiences import Member
from gateway.store.people.shoppers import SEAL_SHOPPER
from gateway.store.vault.vault import SealBroken, Vault

SEAL_BROKEN: Final = "seal broken"
log = structlog.get_logger()


def opened(vault: Vault, members: Iterable[Member]) -> tuple[list[Reached], list[Member]]:
    """Those whose number can be read, and the others."""
    found, broken = list[Reached](), list[Member]()
    for member in members:
        try:
            found.append(Reached(member, vault.open(SEAL_SHOPPER, member.number).decode()))
        except (SealBroken, UnicodeDecodeError):
            broken.append(member)
    if broken:
        log.error("numbers that cannot be opened", shoppers=len(broken), first=broken[0].shopper_id)
    return found, broken
