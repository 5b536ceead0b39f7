"""`PUT /v1/consents`: what a shopper has said to a firm elsewhere, under the firm's API key.

A withdrawal is in force in every process when it is answered. A consent needs what was shown, and a proof.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from aiohttp import web
from pydantic import Field, model_validator

from gateway.domain.consent.word import IN_ORDER, Channel, Consent, Said
from gateway.domain.written import instants
from gateway.http import bodies, fields
from gateway.http.activation_service import Desk
from gateway.http.auth import firm_of
from gateway.http.bodies import Body, Moment
from gateway.http.typed import Phone
from gateway.store.firms.api_keys import ApiKeys
from gateway.usecases.consent.consents import BeforeStop, Change, ConsentDesk

PATH = "/v1/consents"
_CHANNELS = {"sms": (Channel.SMS,), "call": (Channel.CALL,), "all": IN_ORDER}
_STATES = {"given": Consent.GIVEN, "withdrawn": Consent.WITHDRAWN}


class Told(Body):
    """What a firm tells of a shopper's consent."""

    phone: Phone
    channel: Literal["sms", "call", "all"]
    state: Literal["given", "withdrawn"]
    wording: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    proof: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    said_at: Moment | None = None

    @model_validator(mode="after")
    def _a_yes_is_proved(self) -> Self:
        if self.state == "given" and (self.wording is None or self.proof is None or self.said_at is None):
            raise ValueError("a consent needs wording, proof and said_at")
        return self


def routes(keys: ApiKeys, desk: Desk, consents: ConsentDesk) -> list[web.RouteDef]:
    """The route."""

    async def put(request: web.Request) -> web.Response:
        firm = await firm_of(request, keys)
        body = await bodies.read(request, Told)
        catalog = desk.catalog()
        change = Change(
            firm_id=firm,
            number=fields.number(body.phone, catalog, desk.terms, fields.campaigns_of(firm, catalog)),
            channels=_CHANNELS[body.channel],
            consent=_STATES[body.state],
            how="api",
            actor=f"firm {firm}",
            wording=body.wording,
            proof=body.proof,
            # A refusal counts from now on, whenever it was said.
            said_at=_said_at(body) if body.state == "given" else 0,
        )
        try:
            stands = await consents.change(change)
        except BeforeStop as err:
            raise fields.refused("said_at", "is not after the refusal that stands") from err
        return web.json_response(shown(stands), headers={"Cache-Control": "no-store"})

    return [web.put(PATH, put)]


def shown(stands: Mapping[Channel, Said]) -> dict[str, object]:
    """How a person stands, for an answer."""
    return {
        str(channel): {"state": str(said.consent), "said_at": time(said.at) if said.at else None}
        for channel, said in stands.items()
    }


def time(ms: int) -> str:
    """RFC 3339."""
    return instants.told(ms)


def _said_at(body: Told) -> int:
    """Raises Problem for a moment that has not come."""
    said = body.said_at or datetime.now(UTC)
    if said > datetime.now(UTC):
        raise fields.refused("said_at", "is in the future")
    return instants.ms_of(said)
