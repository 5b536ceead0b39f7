"""What waits on a link stands in the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

from gateway.store.telemetry import measures
from gateway.store.telemetry.measures import Measure
from gateway.store.telemetry.metrics import Meter
from smpp.meters import TrafficMeters
from tests.integration.smpp.gateway_side import ANSWER, Recorder, linked
from tests.integration.smpp.raw_smsc import deliver, listening


@dataclass
class Gauges(Meter):
    """A meter that remembers its gauges."""

    stand: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def gauge(self, measure: Measure, value: float, *labels: str) -> None:
        """What stands now; there is one link."""
        del labels
        self.stand[measure.name] = value


async def test_queue_and_window_of_a_link_are_measured() -> None:
    recorder = Recorder(answers=False)
    gauges = Gauges()
    sender: Any = SimpleNamespace(counts=SimpleNamespace(possibly_doubled=0), backlog=0)
    meters = TrafficMeters(gauges, cast(Any, SimpleNamespace(opened={})))

    def load() -> list[float]:
        meters.write([link], {"peer": sender}, cast(Any, SimpleNamespace(backlog=0)))
        return [gauges.stand[measure.name] for measure in measures.LINK_LOAD]

    async with (
        listening() as raw,
        linked(raw.port, recorder, max_unanswered=2, window=7, bind="receiver+transmitter") as link,
    ):
        assert load() == [0, 0, 0, 0, 0]
        sessions = [await raw.session() for _ in range(2)]
        for session in sessions:
            await session.take_bind()
        await recorder.until(lambda: link.tally.binds == 2)
        assert load() == [0, 0, 7, 0, 0]
        for session in sessions:  # one of them is the receiver
            session.write(deliver(1), deliver(2))
        assert link.submit(ANSWER, "token")
        await recorder.until(lambda: len(recorder.messages) == 2)
        unanswered, in_flight, window, resting, unwritten = load()
        assert (unanswered, in_flight, window, resting) == (2, 1, 7, 1)
        assert unwritten >= 0
        for mine, message in recorder.messages:
            mine.answer(message.sequence, 0)
        assert load()[0] == 0
        assert load()[3] == 0
        assert load()[4] > 0  # they leave at the end of this turn of the loop
    assert load() == [0, 0, 0, 0, 0]


async def test_what_a_link_counted_since_it_was_last_written_stays_when_it_is_gone() -> None:
    recorder = Recorder()
    gauges = Gauges()
    meters = TrafficMeters(gauges, cast(Any, SimpleNamespace(opened={})))
    async with listening() as raw, linked(raw.port, recorder) as link:
        session = await raw.session()
        await session.take_bind()
        await recorder.until(lambda: link.tally.binds == 1)
        meters.stopped(link)
        assert gauges.tick(measures.SMPP, link.name, "binds").n == 1
        assert {gauges.stand[measure.name] for measure in measures.LINK_LOAD} == {0}
