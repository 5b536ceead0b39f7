"""Fixtures that several rings of tests share: the SMSC peers."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest

from tests.peers import fetch
from tests.peers.smsc import Program, SmscPeer

SMSCS = {"smpp34": fetch.smpp34_smsc, "node smpp": fetch.node_smsc, "Net::SMPP": fetch.perl_smsc}


def smsc_program(name: str) -> Program:
    """The SMSC of this name. A missing one is skipped by name; under CI=true only if its stand-in is here."""
    try:
        return SMSCS[name]()
    except fetch.PeerMissingError as missing:
        complaint = f"peer missing: {missing}"
    if os.environ.get("CI") == "true" and not any(_there(other) for other in SMSCS if other != name):
        pytest.fail(f"{complaint}; and no other SMSC stands in for it")
    pytest.skip(complaint)


def any_smsc() -> Program:
    """Whichever SMSC can be had: for what does not depend on its kind."""
    return smsc_program(next((name for name in SMSCS if _there(name)), next(iter(SMSCS))))


def _there(name: str) -> bool:
    try:
        SMSCS[name]()
    except fetch.PeerMissingError:
        return False
    return True


@pytest.fixture(params=sorted(SMSCS))
async def smsc(request: pytest.FixtureRequest) -> AsyncIterator[SmscPeer]:
    """Each SMSC peer in turn, listening on a free port."""
    peer = SmscPeer(smsc_program(request.param))
    await peer.start()
    yield peer
    await peer.stop()
