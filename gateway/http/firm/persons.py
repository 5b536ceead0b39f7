"""`POST /v1/persons/contacts` and `/v1/persons/data`: why was this person contacted, and what do we hold?

Under the operator's token, or a firm's key, which is told of its own people and of that firm alone, so often
in an hour, and nothing by which two firms could join what they are told: no id that both know, no time to the
second. The number stands in the body: a URL is logged everywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web
from sqlalchemy import Engine

from gateway.http import bodies, fields
from gateway.http.activation_service import Desk
from gateway.http.auth import firm_of, shows
from gateway.http.bodies import Body
from gateway.http.firm.consents import time
from gateway.http.problems import Kind, Problem
from gateway.http.typed import Phone
from gateway.store.consent import consents
from gateway.store.consent.consents import Entry
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.firms.inquiry_limit import Inquiries
from gateway.usecases.people import person
from gateway.usecases.people.person import Held, Inquiry, Reached

CONTACTS = "/v1/persons/contacts"
DATA = "/v1/persons/data"
OPERATOR = "operator's token"
_OF_A_TEXT = frozenset({"message_id", "source"})


class Person(Body):
    """Who is asked about."""

    phone: Phone


def routes(engine: Engine, token: str, keys: ApiKeys, desk: Desk, inquiries: Inquiries) -> list[web.RouteDef]:
    """The two routes. `token`: the operator's; without one only firms may ask."""

    async def asked(request: web.Request, purpose: str) -> Held | None:
        firm = None if shows(request, token) else await firm_of(request, keys)
        who = OPERATOR if firm is None else f"firm {firm}"
        body = await bodies.read(request, Person)
        if firm is not None and (wait_s := await inquiries.ask(firm)):
            told = "This firm has asked about too many persons for now."
            raise Problem(Kind.LIMITED, 429, told, retry_after_s=wait_s)
        catalog = desk.catalog()
        number = fields.number(body.phone, catalog, desk.terms, fields.campaigns_of(firm, catalog))
        inquiry = Inquiry(who=who, purpose=purpose, firm_id=firm)
        return await asyncio.to_thread(person.held, number, inquiry, engine, desk.vault)

    async def contacts(request: web.Request) -> web.Response:
        found = await asked(request, person.WHY)
        return _response({"contacts": [_reached(one) for one in found.reached] if found else []}, found)

    async def data(request: web.Request) -> web.Response:
        found = await asked(request, person.DATA)
        return _response({"known": False} if found is None else {"known": True, **_held(found)}, found)

    return [web.post(CONTACTS, contacts), web.post(DATA, data)]


def _response(told: Mapping[str, Any], found: Held | None) -> web.Response:
    of_firm = found is not None and found.since is not None
    return web.json_response(_of_firm(told) if of_firm else told, headers={"Cache-Control": "no-store"})


def _of_firm(told: Any) -> Any:
    """Without ids that another firm of the same text knows, too, and with times to the minute."""
    if isinstance(told, list):
        return [_of_firm(one) for one in told]
    if not isinstance(told, Mapping):
        return told
    own = {name: value for name, value in told.items() if name not in _OF_A_TEXT}
    return {name: _to_the_minute(value) if _is_time(name) else _of_firm(value) for name, value in own.items()}


def _is_time(name: str) -> bool:
    return name == "since" or name.endswith("_at")


def _to_the_minute(told: str | None) -> str | None:
    return told and datetime.fromisoformat(told).replace(second=0, microsecond=0).isoformat()


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
        "since": time(holdings.created_at if found.since is None else found.since),
        "language": holdings.language,
        "aliases": holdings.aliases,
        "wrong_codes": holdings.wrong_codes,
        **{kind: [_row(row) for row in rows] for kind, rows in _listed(found).items()},
        "standing": [
            {"firm_id": firm, "channel": channel, "state": said.consent, "said_at": time(said.at)}
            for (firm, channel), said in stands.items()
        ],
        "consents": [_entry(entry) for entry in found.consents],
        "contacts": [_reached(one) for one in found.reached],
    }


def _listed(found: Held) -> Mapping[str, list[dict[str, Any]]]:
    """By kind; a firm's messages come without their ids, which begin like those of another firm's."""
    listed = found.holdings.listed
    if found.since is None:
        return listed
    texts = [{name: value for name, value in row.items() if name != "id"} for row in listed["messages"]]
    return {**listed, "messages": texts}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Times as they are told; `..._at` columns are ms since 1970."""
    return {name: time(value) if name.endswith("_at") else value for name, value in row.items()}
