"""`/v1/audiences`: which shoppers a blast is for."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from campaigns.errors import Refused, Unknown
from campaigns.http import forms
from campaigns.http.asking import Asking, id_of, whole
from campaigns.shown import uploads, views
from gateway.http import bodies
from gateway.store.offers.audiences import Audience, NameTaken, NotExcludable

PATH = "/v1/audiences"
ONE = f"{PATH}/{{id:[0-9]{{1,15}}}}"
MOST_SAMPLE = 20


def routes(asking: Asking) -> list[web.RouteDef]:
    """All of them."""
    desk = asking.desk

    def find(firm: int, id_: int) -> Audience:
        found = desk.audiences.find(firm, id_)
        if found is None:
            raise Unknown(f"There is no audience {id_}")
        return found

    def counted(audience: Audience) -> dict[str, Any]:
        return {**views.audience(audience), "shoppers": views.shoppers(desk, audience)}

    async def create(request: web.Request) -> web.Response:
        firm = await asking.firm(request)
        form = await bodies.read(request, forms.NewAudience)

        def work() -> dict[str, Any]:
            try:
                return counted(desk.audiences.add(firm, form.name, form.definition, desk.clock()))
            except NameTaken as err:
                raise Refused(f"there is an audience {form.name!r} already: take another name") from err
            except NotExcludable as err:
                raise Refused(f"exclude: {err}") from err

        return await asking.answer(firm, work, heavy=True, status=201)

    async def list_(request: web.Request) -> web.Response:
        firm = await asking.firm(request)
        return await asking.answer(
            firm, lambda: {"audiences": [views.audience(found) for found in desk.audiences.all(firm)]}
        )

    async def show(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        return await asking.answer(firm, lambda: counted(find(firm, id_)), heavy=True)

    async def upload(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        form = await bodies.read(request, forms.References)

        def work() -> dict[str, Any]:
            return views.taken(uploads.take(desk, find(firm, id_), form.references))

        return await asking.answer(firm, work, heavy=True)

    async def clear(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)

        def work() -> dict[str, Any]:
            desk.audiences.clear(find(firm, id_))
            return counted(find(firm, id_))

        return await asking.answer(firm, work, heavy=True)

    async def sample(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        most = whole(request, "most", 5, MOST_SAMPLE)

        def work() -> dict[str, Any]:
            members = desk.audiences.some(find(firm, id_), desk.clock(), most=most, seed="")
            return {"shoppers": [views.member(desk, firm, found) for found in members]}

        return await asking.answer(firm, work, heavy=True)

    return [
        web.post(PATH, create),
        web.get(PATH, list_),
        web.get(ONE, show),
        web.post(f"{ONE}/references", upload),
        web.delete(f"{ONE}/references", clear),
        web.get(f"{ONE}/sample", sample),
    ]
