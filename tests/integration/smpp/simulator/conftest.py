"""A simulated SMSC on a free port."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from smpp.simulator.smsc import Smsc
from tests.integration.smpp.simulator.watching import QUICK, Recorder


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def operator(recorder: Recorder) -> AsyncIterator[Smsc]:
    smsc = Smsc(recorder, host="127.0.0.1", port=0, manners=QUICK)
    await smsc.start()
    yield smsc
    await smsc.stop(1.0)
