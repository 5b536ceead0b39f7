"""Proving a number: a one-time PIN goes out by SMS, and whoever knows it may act for the number.

Nothing that an answer says depends on whether a number is known. A PIN is used up by the first wish that
credits something; the same wish again may still use it, since its answer may have been lost on the way.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from typing import Protocol

from config import texts
from gateway.store.people.pins import Asked, Held, Host, Permission
from gateway.store.vault.vault import Vault

PIN_DIGITS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PinWish:
    """A wish for a PIN. `number`: E.164 digits without plus. `host`: the firm of the short number.

    `address`: the network that it came from, as text.
    """

    number: str
    short_number: str
    host: Host
    firm_name: str
    link: str
    language: str
    address: str


class KeepsPins(Protocol):
    """gateway.store.people.pins."""

    async def ask(self, shopper: str, address: str, digest: str, short_number: str, host: Host) -> Permission:
        """Put a PIN in place if it may be sent."""

    async def attempt(self, shopper: str) -> Held | None:
        """Count a try."""

    async def right(self, shopper: str, held: Held, used_by: str = "") -> None:
        """The try was right."""


class Sends(Protocol):
    """gateway.store.texts.sendqueue."""

    async def put(
        self, firm_id: int, link: str, *, short_number: str, number: str, text: str, until: int
    ) -> None:
        """Queue a text that is of use until `until`, ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PinDesk:
    """What PINs need at hand. `lives_s`: as the store lets them live."""

    pins: KeepsPins
    sends: Sends
    vault: Vault
    lives_s: int


async def send_pin(wish: PinWish, desk: PinDesk) -> Permission:
    """Send a PIN unless a limit forbids it. Raises RedisError.

    A number's own limit must not be told to whoever asks: it says that somebody else has asked.
    """
    pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}d}"
    shopper = desk.vault.index(wish.number)
    permission = await desk.pins.ask(
        shopper,
        desk.vault.digest(f"address|{wish.address}"),
        _digest(desk.vault, shopper, pin),
        wish.short_number,
        wish.host,
    )
    if permission.asked is Asked.SENT:
        await desk.sends.put(
            wish.host.firm,
            wish.link,
            short_number=wish.short_number,
            number=wish.number,
            text=texts.load(wish.language).say("web_pin", pin=pin, firm=wish.firm_name),
            until=int((time.time() + desk.lives_s) * 1000),
        )
    return permission


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A number that was proved for one wish."""

    shopper: str
    held: Held
    wish: str  # digest of what the number's owner wants

    @property
    def short_number(self) -> str:
        """The short number that the PIN was sent from."""
        return self.held.short_number


async def prove(number: str, pin: str, wish: str, desk: PinDesk) -> Proof | None:
    """Whether `pin` proves `number` for `wish` (any text that says what is wanted). Raises RedisError.

    The try is counted before the PIN is compared. None for a PIN that is wrong, gone, spent or used up.
    """
    shopper = desk.vault.index(number)
    held = await desk.pins.attempt(shopper)
    tried = _digest(desk.vault, shopper, pin)
    right = hmac.compare_digest(held.digest if held else "", tried)
    wanted = desk.vault.digest(f"wish|{shopper}|{wish}")
    if held is None or not right or held.used_by not in ("", wanted):
        return None
    await desk.pins.right(shopper, held)
    return Proof(shopper=shopper, held=held, wish=wanted)


async def use_up(proof: Proof, desk: PinDesk) -> None:
    """The wish was granted: the PIN is good for nothing else. Raises RedisError."""
    await desk.pins.right(proof.shopper, proof.held, proof.wish)


def _digest(vault: Vault, shopper: str, pin: str) -> str:
    return vault.digest(f"pin|{shopper}|{pin}")
