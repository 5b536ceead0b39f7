"""The web application, put together from what the process gives it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from config.settings import Settings
from gateway.http import bodies, guard, openapi, problem_pages
from gateway.http.activation_service import Desk
from gateway.http.fields import Terms
from gateway.http.firm import activations, aliases, consents
from gateway.http.shopper import page, web_activations
from gateway.http.shopper.web_activations import Site
from gateway.store.firms.api_keys import ApiKeys
from gateway.usecases.consent.consents import ConsentDesk
from gateway.usecases.people.alias_lookup import LookupDesk
from gateway.usecases.people.pins import PinDesk


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes for shoppers and firms stand on."""

    settings: Settings
    desk: Desk
    pin_desk: PinDesk
    lookup_desk: LookupDesk
    keys: ApiKeys
    consents: ConsentDesk


def terms(settings: Settings, link: Callable[[str], str]) -> Terms:
    """What the settings say of activations. `link`: by which one confirmations and PINs leave."""
    return Terms(
        link=link,
        regions=tuple(sorted({known.default_region for known in settings.links} - {""})),
        most_codes=settings.limits.codes_per_message,
    )


def application(services: Services) -> web.Application:
    """The routes for shoppers and firms; the operator's are added by the process."""
    settings = services.settings
    app = web.Application(
        middlewares=[guard.middleware(services.desk.meter)], client_max_size=bodies.MOST_BYTES
    )
    app.on_response_prepare.append(guard.add_headers)
    site = Site(
        desk=services.desk,
        pin_desk=services.pin_desk,
        consents=services.consents,
        public_url=settings.http.public_url,
        trusted=settings.http.trusted_proxies,
    )
    app.add_routes(activations.routes(services.keys, services.desk))
    app.add_routes(consents.routes(services.keys, services.desk, services.consents))
    app.add_routes(aliases.routes(services.keys, services.lookup_desk, settings.aliases.lookups_at_once))
    app.add_routes(web_activations.routes(site))
    app.add_routes(page.routes(services.desk.catalog, settings.web))
    app.add_routes(openapi.routes())
    app.add_routes(problem_pages.routes())
    return app
