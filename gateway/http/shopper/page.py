"""`GET /a`: the page where a shopper activates a code. The QR points here, the code stands in the fragment.

A fragment never leaves the browser with the address, so no server and no proxy logs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from importlib.resources import as_file, files

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from config.settings import WebSettings
from config.texts import LANGUAGES
from gateway.domain.codes.catalog import Catalog
from gateway.http import guard
from gateway.http.shopper import words

PATH = "/a"
ASSETS = {"page.css": "text/css", "page.js": "text/javascript", "cap.svg": "image/svg+xml"}
# What the script says; the rest stands in the page.
SAID = (
    *("wait", "pin_sent", "done", "bad_form", "bad_phone", "bad_pin", "too_many", "away", "offline"),
    *("send_pin", "activate"),
)


def routes(catalog: Callable[[], Catalog], limits: WebSettings) -> list[web.RouteDef]:
    """The page, its assets, and the way to it from the root."""

    async def page(request: web.Request) -> web.Response:
        numbers = sorted(catalog().short_numbers)
        wanted = request.match_info.get("number")
        if wanted is not None and wanted not in numbers:
            return _to_page()
        return _page(request, catalog(), [wanted] if wanted else numbers, limits)

    async def to_page(request: web.Request) -> web.Response:
        del request
        return _to_page()

    return [
        web.get("/", to_page),
        *(web.get(f"{PATH}/{name}", _asset(name, kind)) for name, kind in ASSETS.items()),
        web.get(PATH, page),
        web.get(PATH + r"/{number:\d{1,20}}", page),
    ]


def _to_page() -> web.Response:
    return web.Response(status=302, headers={"Location": PATH})  # the browser takes the fragment along


def _page(request: web.Request, catalog: Catalog, numbers: list[str], limits: WebSettings) -> web.Response:
    first = catalog.short_numbers[numbers[0]] if numbers else None
    asked = request.query.get("l", "")
    accepted = request.headers.get("Accept-Language", "")
    language = asked if asked in LANGUAGES else words.chosen(accepted, first.language if first else "en")
    own = words.pages()[language]
    text = _template().render(
        language=language,
        languages=words.NAMES,
        firm=catalog.firms[first.host_firm_id] if first and len(numbers) == 1 else "",
        numbers=numbers,
        words=_filled(own, minutes=str(limits.pin_ttl_s // 60), number=", ".join(numbers)),
        said={key: own[key].replace("{most}", str(limits.pins_per_number_hour)) for key in SAID},
    )
    return web.Response(
        text=text,
        content_type="text/html",
        headers={
            "Content-Security-Policy": guard.PAGE,
            "Content-Language": language,
            "Vary": "Accept-Language",
            "Cache-Control": "no-store",
        },
    )


def _filled(own: Mapping[str, str], **values: str) -> dict[str, str]:
    """The words that stand in the page; the script fills in what it knows later."""
    told = dict(own)
    for name, value in values.items():
        told = {key: text.replace(f"{{{name}}}", value) for key, text in told.items()}
    return told


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.http.shopper", "pages"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("activate.html")


def _asset(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def asset(request: web.Request) -> web.StreamResponse:
        del request
        with as_file(files("gateway.http.shopper").joinpath("pages", name)) as path:
            return web.FileResponse(path, headers={"Content-Type": kind, "Cache-Control": "no-cache"})

    return asset
