"""The API in front of a house: requests as a firm's page or a browser sends them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiohttp import web
from aiohttp.test_utils import TestClient

from config.settings import Settings
from gateway.http.activation_service import Desk
from gateway.http.app import Services, application, terms
from gateway.http.firm import aliases
from gateway.http.firm.activations import PATH
from gateway.http.shopper.web_activations import ACTIVATIONS, PINS
from gateway.store.codes.owners import Shoppers
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.firms.tills import TillStore
from gateway.store.people.aliases import AliasLookups
from gateway.store.people.pins import PinStore
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry.metrics import Meter
from gateway.store.texts.sendqueue import ServiceMessages
from gateway.usecases.firms import set_up
from gateway.usecases.people.alias_lookup import LookupDesk
from gateway.usecases.people.pins import PinDesk
from tests import described
from tests.integration.house import ANNA, LINK, SHORT, House

Client = TestClient[web.Request, web.Application]


class Answer(NamedTuple):
    """An answer; `body` as JSON, or as text where it is none."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def outcomes(self) -> list[str]:
        """Those of all codes, in order."""
        return [result["outcome"] for result in self.body["results"]]

    @property
    def problem(self) -> str:
        """The kind of problem, without its prefix."""
        return str(self.body["type"]).rpartition("/")[2]


def settings_of(house: House, **sections: dict[str, Any]) -> Settings:
    """Settings of the API process; `sections` beside the usual ones."""
    link = {"name": LINK, "host": "127.0.0.1", "system_id": "undercap"}
    return Settings(**{"state_dir": house.state, "smpp": {"links": [link]}, **sections})  # type: ignore[arg-type]


def services(house: House, settings: Settings, meter: Meter, poked: list[bool]) -> Services:
    """What the process would give the application."""
    redis = DurableRedis(house.client)
    return Services(
        settings=settings,
        desk=Desk(
            catalog=lambda: house.catalog,
            claims=house.store,
            owners=Shoppers(house.client, house.engine),
            vault=house.vault,
            poke=lambda: poked.append(True),
            terms=terms(settings, lambda _: settings.links[0].name if settings.links else ""),
            meter=meter,
        ),
        pin_desk=PinDesk(
            pins=PinStore(redis, settings.web),
            sends=ServiceMessages(redis, house.vault),
            vault=house.vault,
            lives_s=settings.web.pin_ttl_s,
        ),
        lookup_desk=LookupDesk(
            tills=TillStore(redis, settings.aliases),
            aliases=AliasLookups(house.engine),
            alias_key=house.desk().alias_key,
            meter=meter,
        ),
        keys=ApiKeys(house.engine, house.vault),
        consents=house.consent_desk(),
    )


@dataclass
class Front:
    """One application. Every answer to a described request is held against the description."""

    house: House
    client: Client
    meter: Meter
    poked: list[bool] = field(default_factory=list)

    async def send(
        self, path: str, body: object, headers: Mapping[str, str], *, method: str = "POST", address: str = ""
    ) -> Answer:
        """Any request; `body` as JSON unless it is bytes already. `address`: of a path with a parameter."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", **headers}
        async with self.client.request(method, address or path, data=raw, headers=sent) as response:
            text = await response.text()
            told = json.loads(text) if "json" in response.content_type else text
            wrong = described.response_faults(method, path, response.status, response.content_type, told)
            assert wrong == []
            return Answer(response.status, told, response.headers)

    async def activate(self, key: str, body: object, **headers: str) -> Answer:
        """As a firm's page."""
        return await self.send(PATH, body, {"Authorization": f"Bearer {key}", **headers})

    async def look_up(self, key: str, alias: str) -> Answer:
        """As a till."""
        header = {"Authorization": f"Bearer {key}"}
        return await self.send(aliases.PATH, b"", header, method="GET", address=f"/v1/aliases/{alias}")

    def key(self, firm: str = "acme") -> str:
        """A new API key."""
        return set_up.new_api_key(self.house.engine, self.house.vault, firm)

    @property
    def ours(self) -> dict[str, str]:
        """What a browser says of a POST from our own page."""
        return {"Origin": str(self.client.make_url("")).rstrip("/"), "Sec-Fetch-Site": "same-origin"}

    async def ask_pin(self, phone: str = f"+{ANNA}", short: str = SHORT, **headers: str) -> Answer:
        """As the page."""
        body = {"phone": phone, "short_number": short, "language": "en"}
        return await self.send(PINS, body, {**self.ours, **headers})

    async def claim(
        self, pin: str, *codes: str, phone: str = f"+{ANNA}", short_number: str = "", **headers: str
    ) -> Answer:
        """As the page; as one of an older version without the short number."""
        there = {"short_number": short_number} if short_number else {}
        body = {"phone": phone, "pin": pin, "codes": list(codes), "language": "en", **there}
        return await self.send(ACTIVATIONS, body, {**self.ours, **headers})

    def pins_sent(self, number: str = ANNA) -> list[str]:
        """The PINs that wait to be sent to a number, in order."""
        texts = [text for to, text in self.house.waiting_answers() if to == number]
        return [found[1] for text in texts if (found := re.match(r"(\d{6}) is your code", text))]

    async def proved(self, phone: str = ANNA) -> str:
        """A new PIN of a number, out of its SMS."""
        assert (await self.ask_pin(f"+{phone}")).status == 202
        return self.pins_sent(phone)[-1]

    def held_pin(self, number: str = ANNA) -> dict[str, str]:
        """What Redis holds of a PIN."""
        found: Any = self.house.redis.hgetall(keys.pin(self.house.vault.index(number)))
        return {name.decode(): value.decode() for name, value in found.items()}


def app(house: House, settings: Settings, meter: Meter, poked: list[bool]) -> web.Application:
    """The application of a house."""
    return application(services(house, settings, meter, poked))
