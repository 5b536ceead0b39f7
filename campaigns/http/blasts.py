"""`/v1/blasts`: made, edited, previewed, tried out, launched, watched, paused and judged."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from campaigns.http import forms
from campaigns.http.asking import Asking, Handler, id_of, whole
from campaigns.lifecycle import draft, editing, lifecycle
from campaigns.preflight import preview
from campaigns.preflight.preflight import preflight
from campaigns.shown import views
from campaigns.shown.results import results
from campaigns.shown.unknown import unknown as unknown_of
from gateway.http import bodies, fields
from gateway.http.fields import Terms
from gateway.http.problems import Kind, Problem
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast

PATH = "/v1/blasts"
ONE = f"{PATH}/{{id:[0-9]{{1,15}}}}"
MOST_UNKNOWN = 1_000
_AFTER = re.compile(r"[0-9a-z.]{1,40}")  # an id of a text, or a reference
_TURNS = {
    "launch": lifecycle.launch,
    "pause": lifecycle.pause,
    "resume": lifecycle.resume,
    "cancel": lifecycle.cancel,
}


def routes(asking: Asking, terms: Terms) -> list[web.RouteDef]:
    """All of them. `terms`: how numbers are typed."""
    desk = asking.desk

    async def create(request: web.Request) -> web.Response:
        firm = await asking.firm(request)
        form = await bodies.read(request, forms.Draft)
        return await asking.answer(
            firm, lambda: views.blast(draft.create(desk, firm, form.new(), desk.clock())), status=201
        )

    async def list_(request: web.Request) -> web.Response:
        firm = await asking.firm(request)
        return await asking.answer(
            firm, lambda: {"blasts": [views.blast(found) for found in blasts.of_firm(desk.engine, firm)]}
        )

    def of_one(work: Callable[[Blast], Any], *, heavy: bool = False) -> Handler:
        """A handler that does something with the firm's blast of the path."""

        async def handle(request: web.Request) -> web.Response:
            firm, id_ = await asking.firm(request), id_of(request)
            return await asking.answer(firm, lambda: work(lifecycle.of_firm(desk, firm, id_)), heavy=heavy)

        return handle

    def turning(turn: Callable[..., Blast]) -> Handler:
        """A launch looks at the people first."""
        heavy = turn is lifecycle.launch
        return of_one(lambda blast: views.blast(turn(desk, blast, desk.clock())), heavy=heavy)

    def look_ahead(blast: Blast) -> dict[str, Any]:
        """Bounded as at a launch: a whole million would slow this process down for half a minute."""
        return views.preflight(preflight(desk, blast, desk.clock(), most=lifecycle.LOOKED_AT_LAUNCH))

    def judged(blast: Blast) -> dict[str, Any]:
        found, veil = results(desk.engine, blast), desk.veil(blast.firm_id)
        return {**views.blast(blast), **views.results(found, blast.id, veil)}

    async def show_texts(request: web.Request) -> web.Response:
        most, seed = whole(request, "most", 5, preview.MOST), request.query.get("seed", "")[:40]

        def work(blast: Blast) -> dict[str, Any]:
            texts = preview.preview(desk, blast, desk.clock(), most=most, seed=seed)
            return {"texts": [views.seen(text) for text in texts]}

        return await of_one(work, heavy=True)(request)

    async def test(request: web.Request) -> web.Response:
        firm = await asking.firm(request)
        form = await bodies.read(request, forms.Test)

        def work() -> dict[str, str]:
            blast = lifecycle.of_firm(desk, firm, id_of(request))
            catalog = desk.catalog()
            number = fields.number(form.phone, catalog, terms, [catalog.campaigns[blast.campaign_id]])
            return {"message": preview.try_out(desk, blast, number, form.language)}

        return await asking.answer(firm, work, status=202)

    async def edit(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        form = await bodies.read(request, forms.Edited)

        def work() -> dict[str, Any]:
            blast = lifecycle.of_firm(desk, firm, id_)
            edited = editing.edit(desk, blast, form.changes(), seen=form.revision, now=desk.clock())
            return views.blast(edited)

        return await asking.answer(firm, work, heavy=True)

    async def copy(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        form = await bodies.read(request, forms.Copied)

        def work() -> dict[str, Any]:
            blast = lifecycle.of_firm(desk, firm, id_)
            return views.blast(editing.copy(desk, blast, desk.clock(), name=form.name))

        return await asking.answer(firm, work, status=201)

    async def delete(request: web.Request) -> web.Response:
        firm, id_ = await asking.firm(request), id_of(request)
        await asking.answer(
            firm, lambda: editing.delete(desk, lifecycle.of_firm(desk, firm, id_), desk.clock())
        )
        return web.Response(status=204, headers={"Cache-Control": "no-store"})

    async def unknown(request: web.Request) -> web.Response:
        after = request.query.get("after", "")
        if after and not _AFTER.fullmatch(after):
            raise Problem(Kind.BAD_REQUEST, 400, "after: as the last of the page before has it.")
        page = of_one(lambda blast: unknown_of(desk, blast, after=after, most=MOST_UNKNOWN))
        return await page(request)

    return [
        web.post(PATH, create),
        web.get(PATH, list_),
        web.get(ONE, of_one(views.blast)),
        web.patch(ONE, edit),
        web.delete(ONE, delete),
        web.post(f"{ONE}/copy", copy),
        web.get(f"{ONE}/preview", show_texts),
        web.post(f"{ONE}/test", test),
        web.post(f"{ONE}/preflight", of_one(look_ahead, heavy=True)),
        *(web.post(f"{ONE}/{word}", turning(turn)) for word, turn in _TURNS.items()),
        web.get(f"{ONE}/results", of_one(judged, heavy=True)),
        web.get(f"{ONE}/unknown", unknown),
    ]
