"""The description is valid, describes every route, and its examples fit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from openapi_spec_validator import validate

from campaigns.http import audiences, blasts
from campaigns.http.asking import Asking
from config.settings import WebSettings
from gateway.http import openapi, problem_pages
from gateway.http.firm import activations, aliases, consents, messages, persons
from gateway.http.operator import calls, feed, health, links, metrics, vault
from gateway.http.problem_pages import PAGES
from gateway.http.problems import PREFIX, Kind
from gateway.http.shopper import page, web_activations
from ivr.recordings import http as recordings
from tests.described import description, faults, resolved

NOTHING: Any = None  # routes are made without being asked anything


def routes() -> Iterator[web.RouteDef]:
    """Every route of the API process."""
    yield from activations.routes(NOTHING, NOTHING)
    site = web_activations.Site(desk=NOTHING, pin_desk=NOTHING, consents=NOTHING, public_url="", trusted=())
    yield from web_activations.routes(site)
    yield from consents.routes(NOTHING, NOTHING, NOTHING)
    yield from persons.routes(NOTHING, "", NOTHING, NOTHING, NOTHING)
    yield from aliases.routes(NOTHING, NOTHING, 1)
    yield from page.routes(NOTHING, WebSettings())
    yield from openapi.routes()
    yield from problem_pages.routes()
    yield from health.routes(NOTHING)
    yield from metrics.routes(Path(), NOTHING, NOTHING, firms=list, links=[])
    yield from feed.routes(NOTHING)
    yield from messages.routes(NOTHING, "", NOTHING)
    yield from links.routes(NOTHING, "", firms=list, links=[])
    yield from calls.routes(NOTHING, NOTHING, "")
    yield from vault.routes(NOTHING, "")
    yield from audiences.routes(Asking(NOTHING, NOTHING))
    yield from blasts.routes(Asking(NOTHING, NOTHING), NOTHING)
    yield from recordings.routes(NOTHING, NOTHING, NOTHING)


def test_the_description_is_valid() -> None:
    validate(description())


def test_every_route_is_described_and_nothing_else() -> None:
    there = {(r.method, re.sub(r"\{(\w+):[^/]*\}", r"{\1}", r.path)) for r in routes()}
    told = {(method.upper(), path) for path, methods in description()["paths"].items() for method in methods}
    assert there == told


def contents() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body that is described, with where it stands."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            bodies = [("request", operation["requestBody"])] if "requestBody" in operation else []
            for where, body in (*bodies, *operation["responses"].items()):
                for media_type, content in resolved(body).get("content", {}).items():
                    yield f"{method} {path} {where} {media_type}", content


@pytest.mark.parametrize("content", [c for _, c in contents()], ids=[where for where, _ in contents()])
def test_examples_fit(content: dict[str, Any]) -> None:
    examples = content.get("examples", {})
    found = {name: faults(content["schema"], example["value"]) for name, example in examples.items()}
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_nothing_in_it_is_cut() -> None:
    """A comma in words that are not quoted ends them, and makes a key without a value of the rest."""

    def cut(value: object, where: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from [f"{where}/{name}"] if inner is None else cut(inner, f"{where}/{name}")
        elif isinstance(value, list):
            for at, inner in enumerate(value):
                yield from cut(inner, f"{where}/{at}")

    assert list(cut(description(), "")) == []


def test_every_operation_says_who_may_ask() -> None:
    operations = [o for methods in description()["paths"].values() for o in methods.values()]
    assert [o["operationId"] for o in operations if "security" not in o] == []


def test_every_kind_of_problem_has_its_page() -> None:
    assert set(PAGES) == set(Kind)


def test_every_kind_of_problem_is_described() -> None:
    described = description()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert sorted(described) == sorted(PREFIX + kind for kind in Kind)
