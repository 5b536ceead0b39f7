"""Where a request comes from."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.http import guard

PROXIES: tuple[IPv4Network | IPv6Network, ...] = (ip_network("10.0.0.0/8"), ip_network("::1"))
ADDRESSES: list[tuple[str, str, list[str], str]] = [
    ("a shopper without a proxy", "203.0.113.7", [], "203.0.113.7"),
    ("what a shopper says of himself", "203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
    ("behind our proxy", "10.0.0.1", ["203.0.113.7"], "203.0.113.7"),
    ("behind two of ours", "10.0.0.1", ["203.0.113.7, 10.0.0.2"], "203.0.113.7"),
    ("with a lie before the proxy's word", "10.0.0.1", ["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
    ("in two headers", "10.0.0.1", ["198.51.100.1", "203.0.113.7"], "203.0.113.7"),
    ("the proxy itself", "10.0.0.1", [], "10.0.0.1"),
    ("a proxy's word that is no address", "10.0.0.1", ["unknown"], "10.0.0.1"),
    ("one of many addresses of a household", "2001:db8:1:2:3:4:5:6", [], "2001:db8:1:2::/64"),
    ("another one of the same", "2001:db8:1:2:ffff::1", [], "2001:db8:1:2::/64"),
    ("IPv4 in IPv6's clothes", "::ffff:203.0.113.7", [], "203.0.113.7"),
    ("IPv6 behind a proxy on this machine", "::1", ["2001:db8:1:2::9"], "2001:db8:1:2::/64"),
    ("with a zone", "fe80::1%eth0", [], "fe80::/64"),
    ("no address at all", "", [], "unknown"),
]


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"), [case[1:] for case in ADDRESSES], ids=[case[0] for case in ADDRESSES]
)
def test_an_address_is_the_peers_or_what_our_proxy_says(
    peer: str, forwarded: list[str], expected: str
) -> None:
    headers: Any = [("X-Forwarded-For", line) for line in forwarded]
    request = make_mocked_request("GET", "/", headers=_multi(headers)).clone(remote=peer)
    assert guard.address(request, PROXIES) == expected


def _multi(pairs: list[tuple[str, str]]) -> Any:
    from multidict import CIMultiDict, CIMultiDictProxy

    return CIMultiDictProxy(CIMultiDict(pairs))
