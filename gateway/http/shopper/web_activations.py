"""What the page asks for: `POST /v1/web/pins` proves a number, `POST /v1/web/activations` then claims.

Before the number is proved nothing is looked up, claimed or told. Answers about PINs are the same for every
number, and come after the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Annotated

from aiohttp import web
from pydantic import Field

from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.catalog import Campaign, Catalog, ShortNumber
from gateway.domain.consent.word import IN_ORDER, Consent
from gateway.http import bodies, fields, guard
from gateway.http.activation_service import Desk
from gateway.http.bodies import Body
from gateway.http.guard import Networks
from gateway.http.problems import Kind, Problem, away
from gateway.http.shopper import words
from gateway.http.typed import Codes, Language, Phone, Short
from gateway.store.people.pins import Asked, Host
from gateway.store.telemetry import measures
from gateway.usecases.codes.activation import Answered, Wish
from gateway.usecases.consent.consents import BeforeStop, Change, ConsentDesk
from gateway.usecases.people.pins import PinDesk, PinWish, Proof, prove, send_pin, use_up

PINS = "/v1/web/pins"
ACTIVATIONS = "/v1/web/activations"
ANSWER_AFTER_S = 0.25  # as long as a PIN that is really queued may take, so that time tells nothing


class PinRequest(Body):
    """A wish for a PIN."""

    phone: Phone
    short_number: Short | None = None
    language: Language | None = None


class WebActivation(Codes):
    """Codes, and the PIN that proves the number."""

    pin: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    short_number: Short | None = None  # of the wish for the PIN: whose national numbers are understood
    language: Language | None = None
    offers: bool = False  # the box was ticked


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What the page's own routes need beside the desk."""

    desk: Desk
    pin_desk: PinDesk
    consents: ConsentDesk
    public_url: str
    trusted: Networks


def routes(site: Site) -> list[web.RouteDef]:
    """The two routes."""

    unnamed = guard.UnnamedProxy(site.trusted)

    async def ask_pin(request: web.Request) -> web.Response:
        guard.from_our_page(request, site.public_url)
        unnamed.notice(request)
        body = await bodies.read(request, PinRequest)
        done = asyncio.get_running_loop().time() + ANSWER_AFTER_S
        try:
            await _ask_pin(body, guard.address(request, site.trusted), site)
        finally:
            await asyncio.sleep(done - asyncio.get_running_loop().time())
        return web.json_response({"status": "sent"}, status=202, headers={"Cache-Control": "no-store"})

    async def claim(request: web.Request) -> web.Response:
        guard.from_our_page(request, site.public_url)
        return await _claim(await bodies.read(request, WebActivation), site)

    return [web.post(PINS, ask_pin), web.post(ACTIVATIONS, claim)]


async def _ask_pin(body: PinRequest, address: str, site: Site) -> None:
    desk = site.desk
    catalog = desk.catalog()
    short = fields.short_number(body.short_number, list(catalog.short_numbers.values()))
    number = fields.number(body.phone, catalog, desk.terms, fields.campaigns_at(short, catalog))
    link = desk.terms.link(number)
    if not link:
        raise away()
    wish = PinWish(
        number=number,
        short_number=short.number,
        host=Host(short.host_firm_id, len(catalog.firms)),
        firm_name=catalog.firms[short.host_firm_id],
        link=link,
        language=body.language or short.language,
        address=address,
    )
    permission = await send_pin(wish, site.pin_desk)
    desk.meter.count(measures.PINS, f"asked {permission.asked.value}")
    if permission.asked is Asked.ADDRESS:
        told = "Too many PINs were asked for from this address."
        raise Problem(Kind.LIMITED, 429, told, retry_after_s=permission.wait_s)
    if permission.asked is Asked.ALL:
        told = "Too many PINs are asked for just now."
        raise Problem(Kind.LIMITED, 503, told, retry_after_s=permission.wait_s)


async def _claim(body: WebActivation, site: Site) -> web.Response:
    desk = site.desk
    catalog = desk.catalog()
    # As at the wish for the PIN; a page of before an update does not say where that was.
    named = catalog.short_numbers.get(body.short_number or "")
    there = fields.campaigns_at(named, catalog) if named else fields.campaigns_of(None, catalog)
    number = fields.number(body.phone, catalog, desk.terms, there)
    codes = body.all(desk.terms.most_codes)
    proof = await prove(number, body.pin, "\n".join(codes), site.pin_desk)
    desk.meter.count(measures.PINS, "right" if proof else "wrong")
    short = catalog.short_numbers.get(proof.short_number) if proof else None
    if proof is None or short is None:
        raise Problem(Kind.PIN, 403, "The PIN is wrong, used or too old.")
    language = body.language or short.language
    wish = Wish(
        number=number,
        short_number=short.number,
        codes=codes,
        language=language,
        link=desk.terms.link(number),
        channel="web",
    )
    if body.offers:
        await _consent(proof, number, short, language, site)
    answered = await desk.activate(wish)
    if any(code.outcome is Outcome.ACTIVATED for code in answered.codes):
        await use_up(proof, site.pin_desk)
    return _response(answered, language, short, catalog)


async def _consent(proof: Proof, number: str, short: ShortNumber, language: str, site: Site) -> None:
    """The box beside the PIN that proves the number. The same request again is the same consent."""
    change = Change(
        firm_id=short.host_firm_id,
        number=number,
        channels=IN_ORDER,
        consent=Consent.GIVEN,
        how="web",
        actor="shopper",
        source=site.desk.vault.digest(f"web-consent|{proof.held.digest}|{proof.wish}"),
        wording=words.pages()[language]["offers"],
    )
    with contextlib.suppress(BeforeStop):  # a STOP of this very moment
        await site.consents.change(change)


def _response(answered: Answered, language: str, short: ShortNumber, catalog: Catalog) -> web.Response:
    campaign = _campaign(short, catalog)
    results = [
        fields.result(code)
        | {
            "message": words.sentence(
                code,
                language,
                timezone=campaign.timezone if campaign else "UTC",
                campaign=campaign.name if campaign else "",
                limited_until=answered.limited_until,
            )
        }
        for code in answered.codes
    ]
    headers = {"Cache-Control": "no-store"}
    if answered.limited_until:
        headers["Retry-After"] = str(fields.wait_s(answered))
    credited = any(code.outcome is Outcome.ACTIVATED for code in answered.codes)
    return web.json_response({"results": results}, status=202 if credited else 200, headers=headers)


def _campaign(short: ShortNumber, catalog: Catalog) -> Campaign | None:
    """The newest campaign at a short number, for the zone in which times are told."""
    firms = (short.host_firm_id, *short.firm_ids)
    own = [c for c in catalog.campaigns.values() if c.firm_id in firms]
    return max(own, key=lambda c: c.id, default=None)
