"""`POST /v1/activations`: codes from a firm's own page, under the firm's API key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from aiohttp import web
from pydantic import Field, field_validator, model_validator

from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.catalog import Catalog, ShortNumber
from gateway.domain.written.outside import fits
from gateway.http import bodies, fields
from gateway.http.activation_service import Desk
from gateway.http.auth import shown_key
from gateway.http.bodies import Body
from gateway.http.fields import LONGEST_CODE
from gateway.http.problems import Kind, Problem
from gateway.store.firms.api_keys import ApiKey, ApiKeys
from gateway.usecases.codes.activation import Answered, Wish, short_number_of

PATH = "/v1/activations"
Code = Annotated[str, Field(min_length=1, max_length=LONGEST_CODE)]


Phone = Annotated[str, Field(min_length=5, max_length=32)]
Short = Annotated[str, Field(min_length=1, max_length=20)]
Language = Literal["uk", "ru", "kk", "en"]


class Codes(Body):
    """One `code` or several `codes` of a shopper."""

    phone: Phone
    code: Code | None = None
    codes: Annotated[list[str], Field(min_length=1, max_length=100)] | None = None

    @field_validator("codes")
    @classmethod
    def _what_may_be_codes(cls, typed: list[str] | None) -> list[str] | None:
        """What can be none is nobody's, and no fault of those beside it."""
        return typed and [code if len(code) <= LONGEST_CODE and fits(code) else "" for code in typed]

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.code is None) == (self.codes is None):
            raise ValueError("either code or codes is needed")
        return self

    def all(self, most: int) -> tuple[str, ...]:
        """The codes, however they came. Raises Problem for more than `most`."""
        found = tuple(self.codes or ()) or (self.code or "",)
        if len(found) > most:
            raise fields.refused("codes", f"are too many: {most} at most")
        return found


class Activation(Codes):
    """What a firm's page asks for."""

    short_number: Short | None = None
    language: Language | None = None


def routes(keys: ApiKeys, desk: Desk) -> list[web.RouteDef]:
    """The route."""

    async def post(request: web.Request) -> web.Response:
        firm = await firm_of(request, keys)
        body = await bodies.read(request, Activation)
        catalog = desk.catalog()
        codes = body.all(desk.terms.most_codes)
        short = _short_number(body.short_number, codes, _numbers(catalog, firm), firm)
        number = fields.number(body.phone, catalog, desk.terms, fields.campaigns_at(short, catalog))
        wish = Wish(
            number=number,
            short_number=short.number,
            codes=codes,
            language=body.language,
            link=desk.terms.link(number),
            channel="api",
            firm=firm,
        )
        return _response(await desk.activate(wish))

    return [web.post(PATH, post)]


async def firm_of(request: web.Request, keys: ApiKeys) -> int:
    """The firm whose API key a request shows. Raises Problem."""
    return (await key_of(request, keys)).firm_id


async def key_of(request: web.Request, keys: ApiKeys) -> ApiKey:
    """The API key that a request shows. Raises Problem."""
    shown = shown_key(request)
    found = await keys.find(shown) if shown else None
    if found is None:
        told = "Send Authorization: Bearer with an API key of your firm."
        raise Problem(Kind.KEY, 401, told, headers={"WWW-Authenticate": 'Bearer realm="undercap"'})
    return found


def _numbers(catalog: Catalog, firm: int) -> list[ShortNumber]:
    return [n for n in catalog.short_numbers.values() if firm in n.firm_ids]


def _short_number(
    wanted: str | None, codes: Sequence[str], numbers: Sequence[ShortNumber], firm: int
) -> ShortNumber:
    """The one that was named, or that of the campaign which the codes name. Raises Problem."""
    if wanted is not None or len(numbers) < 2:
        return fields.short_number(wanted, numbers)
    found = short_number_of(codes, numbers, firm)
    if found is None:
        raise fields.refused("codes", "are of campaigns at several short numbers: send them apart")
    return found


def _response(answered: Answered) -> web.Response:
    results = [fields.result(code) for code in answered.codes]
    if answered.limited_until:
        told = "Too many tries for this shopper. Nothing was looked up; the codes stay good."
        wait = fields.wait_s(answered)
        raise Problem(Kind.LIMITED, 429, told, retry_after_s=wait, results=results)
    credited = any(code.outcome is Outcome.ACTIVATED for code in answered.codes)
    headers = {"Cache-Control": "no-store"}
    if credited and answered.message_id:
        headers["Location"] = f"/v1/messages/{answered.message_id}"  # of the confirmation; RFC 9110, 15.3.3
    # 202: what was claimed is safe; the ledger and the confirmation by SMS follow within moments.
    return web.json_response({"results": results}, status=202 if credited else 200, headers=headers)
