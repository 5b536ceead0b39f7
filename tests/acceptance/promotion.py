"""Campaigns and their codes, set up as an operator would."""

from __future__ import annotations

import asyncio
import csv
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.acceptance.phone import Shopper
from tests.acceptance.stand import Stand
from tests.harness import LOOK_AGAIN_S, Gateway, HarnessError

FIRM: Final = "acme"
KNOWN_WITHIN_S: Final = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Code:
    """A code as printed, with its serial."""

    printed: str = field(repr=False)
    serial: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """A campaign with its points a code and the language of its answers."""

    id: int
    points: int
    language: str
    gateway: Gateway

    def codes(self, count: int, alphabet: str = "digits", *, take: int) -> list[Code]:
        """Generate a series of `count` codes; `take` of them, from all over it."""
        return read_codes(self.series(count, alphabet), take)

    def series(self, count: int, alphabet: str = "digits") -> Path:
        """Generate a series; the file for its printer."""
        out = self.gateway.state / f"codes-{self.id}-{alphabet}-{count}.csv"
        self.gateway.cli(
            *("codes", "generate", "--campaign", str(self.id), "--count", str(count)),
            *("--alphabet", alphabet, "--out", str(out)),
        )
        return out

    def change(self, word: str) -> None:
        """Pause, resume or end it."""
        self.gateway.cli("campaign", word, str(self.id))


@dataclass(kw_only=True, slots=True)
class Supply:
    """Codes of a running campaign that nobody has texted yet."""

    campaign: Promotion
    codes: list[Code] = field(repr=False)

    def next(self) -> Code:
        """One more."""
        return self.codes.pop()


def add_firm(gateway: Gateway, slug: str = FIRM) -> None:
    """A firm by itself."""
    gateway.cli("firm", "add", slug, "--name", slug.capitalize())


def add_campaign(
    gateway: Gateway,
    *options: str,
    numbers: tuple[str, ...] = ("4040",),
    points: int = 10,
    language: str = "en",
    firm: str = FIRM,
) -> Promotion:
    """A campaign of a firm that exists. `options`: more of the command line."""
    at = [word for number in numbers for word in ("--short-number", number)]
    told = gateway.cli(
        *("campaign", "add", "--firm", firm, "--name", "Caps", "--points", str(points)),
        *("--language", language, *at, *options),
    )
    return Promotion(id=int(told), points=points, language=language, gateway=gateway)


async def running_campaign(stand: Stand, *, codes: int = 200, language: str = "en") -> Supply:
    """A firm with a running campaign that the gateway knows, and codes of it to be texted."""
    add_firm(stand.gateway)
    campaign = add_campaign(stand.gateway, language=language)
    made = campaign.codes(codes, take=codes)
    await known(stand, next(iter(stand.smscs)), made.pop())
    return Supply(campaign=campaign, codes=made)


def read_codes(file: Path, count: int) -> list[Code]:
    """So many codes of a series as it was written for the printer, from all over it."""
    lines = file.read_text(encoding="ascii").splitlines()[1:]
    rows = csv.reader(lines[:: max(1, len(lines) // count)][:count])
    return [Code(printed=code, serial=int(serial)) for serial, code in rows]


async def known(stand: Stand, link: str, code: Code, *, to: str = "4040") -> Shopper:
    """Until the gateway takes this code as one that was issued; the shopper who spent it on that."""
    deadline = time.monotonic() + KNOWN_WITHIN_S
    while time.monotonic() < deadline:
        shopper = stand.shopper("who waits for the codes")
        if await stand.text(link, shopper, code.printed, to=to) == 0:
            await stand.answers(link, shopper)
            if stand.stored(shopper).activations:
                return shopper
        await asyncio.sleep(LOOK_AGAIN_S)  # processes look once a second whether anything was changed
    raise HarnessError(f"the codes are not known\n{stand.gateway.log_tails()}")
