"""Who may open the page."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import make_mocked_request

from smpp.simulator import door


@pytest.mark.parametrize(
    ("label", "named", "ours"),
    [
        ("loopback", "127.0.0.1:8081", True),
        ("loopback, IPv6", "[::1]:8081", True),
        ("localhost", "localhost:8081", True),
        ("the configured name", "phones.lan:8081", True),
        ("an address in the house", "192.168.1.20:8081", True),
        ("a name that was made to point here", "evil.example:8081", False),
        ("nothing", "", False),
        ("not a host", "[::1:8081", False),
    ],
)
def test_the_name_it_is_called_by(label: str, named: str, ours: bool) -> None:
    assert ours == door.is_ours(named, "phones.lan"), label


@pytest.mark.parametrize(
    ("label", "origin", "same"),
    [
        ("this page", "http://127.0.0.1:8081", True),
        ("this page behind TLS", "https://127.0.0.1:8081", True),
        ("another port", "http://127.0.0.1:8080", False),
        ("another site", "https://evil.example", False),
        ("a sandboxed frame", "null", False),
        ("no browser at all", None, False),
        ("a file", "file://", False),
    ],
)
def test_the_websocket_takes_its_own_origin_only(label: str, origin: str | None, same: bool) -> None:
    headers = {"Host": "127.0.0.1:8081"} | ({"Origin": origin} if origin is not None else {})
    assert same == door.same_origin(make_mocked_request("GET", "/socket", headers=headers)), label
