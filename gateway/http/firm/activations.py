"""`POST /v1/activations`: codes from a firm's own page, under the firm's API key."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from gateway.domain.answers.outcome import Outcome
from gateway.domain.codes.catalog import Catalog, ShortNumber
from gateway.http import bodies, fields
from gateway.http.activation_service import Desk
from gateway.http.auth import firm_of
from gateway.http.problems import Kind, Problem
from gateway.http.typed import Codes, Language, Short
from gateway.store.firms.api_keys import ApiKeys
from gateway.usecases.codes.activation import Answered, Wish, short_number_of

PATH = "/v1/activations"


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
