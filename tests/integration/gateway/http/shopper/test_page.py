"""The page: four languages, nothing inline, nothing from elsewhere, no way for a code into a log."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from gateway.http.shopper.page import ASSETS
from tests.integration.gateway.http.front import Front
from tests.integration.house import House

TITLES = {
    "uk": "Активація коду",
    "ru": "Активация кода",
    "kk": "Кодты белсендіру",
    "en": "Activate a code",
}


class Elements(HTMLParser):
    """Every start tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


async def page(front: Front, path: str = "/a", **headers: str) -> tuple[int, str, Any]:
    """Status, text and headers of a page."""
    async with front.client.get(path, headers=headers, allow_redirects=False) as response:
        return response.status, await response.text(), response.headers


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/a", "", "en"),  # the campaign's
        ("/a", "uk-UA,uk;q=0.9,en;q=0.5", "uk"),
        ("/a", "de-DE,ru;q=0.7,en;q=0.3", "ru"),
        ("/a", "kk", "kk"),
        ("/a", "de, fr", "en"),
        ("/a?l=kk", "uk", "kk"),
        ("/a?l=xx", "uk", "uk"),
        ("/a/4040", "ru", "ru"),
    ],
)
async def test_the_page_speaks_the_shoppers_language(
    front: Front, path: str, accepted: str, language: str
) -> None:
    status, text, headers = await page(front, path, **{"Accept-Language": accepted})
    assert (status, headers["Content-Language"], headers["Vary"]) == (200, language, "Accept-Language")
    assert f"<h1>{TITLES[language]}</h1>" in text
    assert ("html", {"lang": language}) in Elements(text).found
    assert re.findall(r"\{[a-z_]+\}", text.partition('id="words"')[0]) == []  # every placeholder is filled in


async def test_the_page_runs_nothing_that_does_not_come_from_here(front: Front) -> None:
    _, text, headers = await page(front)
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    for directive in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert directive in policy
    elements = Elements(text).found
    inline = [
        (tag, attrs)
        for tag, attrs in elements
        if (tag == "script" and "src" not in attrs and attrs.get("type") != "application/json")
        or tag == "style"
        or any(name == "style" or name.startswith("on") for name in attrs)
    ]
    elsewhere = [
        value
        for _, attrs in elements
        for name, value in attrs.items()
        if name in ("src", "href", "action") and not re.fullmatch(r"/a/[\w.]+|\?l=\w\w", value)
    ]
    assert (inline, elsewhere) == ([], [])


async def test_every_field_has_a_label_and_every_hint_its_field(front: Front) -> None:
    _, text, _ = await page(front)
    elements = Elements(text).found
    ids = {attrs["id"] for _, attrs in elements if "id" in attrs}
    labelled = {attrs["for"] for tag, attrs in elements if tag == "label"}
    fields = {
        attrs["id"]
        for tag, attrs in elements
        if tag in ("input", "textarea", "select") and attrs.get("type") != "hidden"
    }
    hints = {attrs["aria-describedby"] for _, attrs in elements if "aria-describedby" in attrs}
    assert (fields - labelled, hints - ids) == (set(), set())


@pytest.mark.parametrize(("name", "kind"), ASSETS.items())
async def test_assets_are_served_as_what_they_are_and_asked_for_again(
    front: Front, name: str, kind: str
) -> None:
    async with front.client.get(f"/a/{name}") as response:
        assert (response.status, response.content_type) == (200, kind)
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        text, tag = await response.text(), response.headers["ETag"]
    assert re.findall(r"(?:https?:)?//\w[\w.-]+\.\w+(?!/2000/svg)", text.replace("www.w3.org", "")) == []
    async with front.client.get(f"/a/{name}", headers={"If-None-Match": tag}) as again:
        assert again.status == 304


@pytest.mark.parametrize("path", ["/", "/a/9999"])
async def test_who_comes_by_another_way_is_led_to_the_page(front: Front, path: str) -> None:
    status, _, headers = await page(front, path)
    assert (status, headers["Location"]) == (302, "/a")


async def test_several_short_numbers_are_a_choice(house: House, open_front: Any) -> None:
    house.firm()
    house.campaign(short_numbers=("4040", "5050"))
    front: Front = await open_front()
    _, text, _ = await page(front)
    assert re.findall(r"<option>(\d+)</option>", text) == ["4040", "5050"]
    _, alone, _ = await page(front, "/a/5050")
    assert 'name="short_number" value="5050"' in alone


async def test_a_firms_name_is_text_and_nothing_else(house: House, open_front: Any) -> None:
    from gateway.usecases.firms import set_up

    set_up.add_firm(house.engine, "acme", "<script>alert(1)</script>")
    house.publish(1)
    house.campaign()
    front: Front = await open_front()
    _, text, _ = await page(front)
    assert ("<script>alert" in text, "&lt;script&gt;alert" in text) == (False, True)


async def test_headers_keep_every_answer_safe(front: Front) -> None:
    for path in ("/a", "/v1/openapi.yaml", "/nowhere", "/a/page.js"):
        async with front.client.get(path) as response:
            told = response.headers
            assert told["X-Content-Type-Options"] == "nosniff"
            assert told["Referrer-Policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in told["Content-Security-Policy"]
            assert told["Server"] == "undercap"


async def test_what_is_not_there_is_a_problem(front: Front) -> None:
    async with front.client.get("/v1/nothing") as response:
        assert (response.status, response.content_type) == (404, "application/problem+json")
    async with front.client.get("/v1/activations") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
