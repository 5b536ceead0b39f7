"""`POST /v1/persons/contacts` and `/v1/persons/data`: why was this person contacted, and what do we hold?

Under the operator's token, or a firm's key, which is told of that firm alone. The number stands in the body:
a URL is logged everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from gateway.http import bodies, wishes
from gateway.http.activations import Phone, firm_of
from gateway.http.bodies import Body
from gateway.http.consents import time
from gateway.http.desk import Desk
from gateway.http.links import shows
from gateway.store import consents
from gateway.store.api_keys import ApiKeys
from gateway.store.consents import Entry
from gateway.usecases import person
from gateway.usecases.person import Held, Inquiry, Reached

CONTACTS = "/v1/persons/contacts"
DATA = "/v1/persons/data"
OPERATOR = "operator's token"


class Person(Body):
    """Who is asked about."""

    phone: Phone


def routes(engine: Engine, token: str, keys: ApiKeys, desk: Desk) -> list[web.RouteDef]:
    """The two routes. `token`: the operator's; without one only firms may ask."""

    async def asked(request: web.Request, purpose: str) -> Held | None:
        firm = None if shows(request, token) else await firm_of(request, keys)
        who = OPERATOR if firm is None else f"firm {firm}"
        body = await bodies.read(request, Person)
        number = wishes.number(body.phone, desk.catalog(), desk.terms)
        inquiry = Inquiry(who=who, purpose=purpose, firm_id=firm)
        return await asyncio.to_thread(person.held, number, inquiry, engine, desk.vault)

    async def contacts(request: web.Request) -> web.Response:
        found = await asked(request, person.WHY)
        return _response({"contacts": [_reached(one) for one in found.reached] if found else []})

    async def data(request: web.Request) -> web.Response:
        found = await asked(request, person.DATA)
        return _response({"known": False} if found is None else {"known": True, **_held(found)})

    return [web.post(CONTACTS, contacts), web.post(DATA, data)]


def _response(told: Mapping[str, Any]) -> web.Response:
    return web.json_response(told, headers={"Cache-Control": "no-store"})


def _reached(one: Reached) -> dict[str, Any]:
    contact = one.contact
    return {
        "id": contact.id,
        "firm_id": contact.firm_id,
        "blast": contact.blast,
        "channel": contact.channel,
        "state": contact.state,
        "made_at": time(contact.made_at),
        "decided_at": time(contact.decided_at),
        "policy": contact.pack,
        "consent": contact.consent,
        "entry": _entry(one.consent) if one.consent else None,
    }


def _entry(entry: Entry) -> dict[str, Any]:
    told = entry._asdict()
    return {**told, "said_at": time(entry.said_at)}


def _held(found: Held) -> dict[str, Any]:
    holdings = found.holdings
    stands = consents.standing(found.consents)
    return {
        "since": time(holdings.created_at),
        "language": holdings.language,
        "aliases": holdings.aliases,
        "wrong_codes": holdings.wrong_codes,
        **{kind: [_row(row) for row in rows] for kind, rows in holdings.listed.items()},
        "standing": [
            {"firm_id": firm, "channel": channel, "state": said.consent, "said_at": time(said.at)}
            for (firm, channel), said in stands.items()
        ],
        "consents": [_entry(entry) for entry in found.consents],
        "contacts": [_reached(one) for one in found.reached],
    }


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times as they are told; `..._at` columns are ms since 1970."""
    return {name: time(value) if name.endswith("_at") else value for name, value in row.items()}
