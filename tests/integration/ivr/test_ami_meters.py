"""What is measured of the session with the manager interface, on a real Asterisk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from gateway.store.telemetry import measures
from gateway.store.telemetry.measures import Measure
from gateway.store.telemetry.metrics import Meter
from ivr.ami.manager import Manager
from ivr.ami.meters import AmiMeters
from ivr.ami.originate import Originate, to_ourselves
from tests.conftest import any_asterisk
from tests.integration.ivr.ami import managing, settings_of, until, up
from tests.integration.ivr.test_attacks import UNFILTERED
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import AsteriskPlace

pytestmark = pytest.mark.asyncio(loop_scope="module")
CALL = Originate(channel=to_ourselves("undercap-check", "nobody"), context="undercap-check", exten="wait")


class Gauges(Meter):
    """Keeps what stands now, where the metrics' files would have it."""

    def __init__(self) -> None:
        super().__init__()
        self.now: dict[Measure, float] = {}

    def gauge(self, measure: Measure, value: float, *labels: str) -> None:
        assert labels == ()
        self.now[measure] = value


def told(manager: Manager, meter: Gauges) -> tuple[float, float, float, float]:
    """Connected, reconnects, refused logins, strays."""
    AmiMeters(meter, manager).write()
    counted = (measures.AMI_RECONNECTS, measures.AMI_REFUSED, measures.AMI_STRAYS)
    reconnects, refused, strays = (meter.tick(measure).n for measure in counted)
    return meter.now[measures.AMI_UP], reconnects, refused, strays


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asterisk() -> AsyncIterator[Asterisk]:
    async with running(any_asterisk()) as asterisk:
        yield asterisk


async def test_a_session_its_loss_and_the_next_one(asterisk: Asterisk) -> None:
    meter = Gauges()
    async with managing(settings_of(asterisk)) as manager:
        assert told(manager, meter) == (0, 0, 0, 0)
        await up(manager)
        assert told(manager, meter) == (1, 0, 0, 0)
        await asyncio.sleep(0.1)
        before = manager.quiet_s
        await manager.originate(CALL)
        told(manager, meter)
        assert 0 <= meter.now[measures.AMI_QUIET_S] < before
        await asterisk.kill()
        await until(lambda: told(manager, meter)[0] == 0)
        await asterisk.start()
        await up(manager)
        assert told(manager, meter) == (1, 1, 0, 0)


async def test_a_login_that_is_refused(asterisk: Asterisk) -> None:
    meter = Gauges()
    refused = settings_of(asterisk, secret="not the secret", answer_timeout_s=5)
    async with managing(refused) as manager:
        await until(lambda: told(manager, meter)[2] >= 2)
        assert told(manager, meter)[:2] == (0, 0)


async def test_events_that_the_filter_lets_through() -> None:
    meter = Gauges()
    async with (
        running(any_asterisk(), AsteriskPlace(edits=(UNFILTERED,))) as asterisk,
        managing(settings_of(asterisk)) as manager,
    ):
        await up(manager)
        await manager.originate(CALL)
        assert told(manager, meter)[3] > 0
