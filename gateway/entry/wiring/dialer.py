"""What makes and talks the calls of blasts in the IVR process, put together from what it stands on."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from config import policies
from config.settings import Settings
from gateway.entry.wiring import asterisk_watch
from gateway.entry.wiring.backing import Backing, CatalogKeeper, Verifier, gate_store
from gateway.entry.wiring.call_queue import SqlQueue
from gateway.entry.wiring.offer_calls import offer_desk
from gateway.store.calls.offer_outcomes import Ended
from gateway.store.calls.slots import CallSlots, Dialers, Limits
from gateway.store.redis.clock import FollowedClock
from gateway.store.redis.durable import DurableRedis
from gateway.store.telemetry.metrics import Meter
from gateway.usecases.calls.free_number import CallDesk
from gateway.usecases.calls.offer_keys import OfferDesk
from gateway.usecases.consent.gate import Gate
from ivr.ami.call_result import CallEnd
from ivr.ami.manager import Manager
from ivr.ami.meters import AmiMeters
from ivr.ami.originate import GRACE_S, Originate, over_trunk
from ivr.dialer.attempt import Ways
from ivr.dialer.blasts import RunningBlasts
from ivr.dialer.call import CallTable, OfferCall
from ivr.dialer.candidates import Candidates
from ivr.dialer.consent_watch import Watch
from ivr.dialer.dialer import Dialer
from ivr.dialer.dispatch import Line
from ivr.dialer.heartbeat import Heartbeat
from ivr.dialer.meters import DialMeters
from ivr.dialer.outcome_writer import Filing
from ivr.dialer.pausing import Pausing
from ivr.dialer.predecessor import succeed
from ivr.dialer.recovery import Recovery
from ivr.dialer.slot_returns import OwedSlots
from ivr.dialer.slowing import Slowing
from ivr.dialer.trunk import Blame, Trunk, blame
from ivr.offer.recordings import Recordings
from ivr.offer.runner import OfferLine, OfferTalk

SLACK_S: Final = 30.0  # beyond the time of a talk, which ends with a goodbye
SWEEP_EVERY_S: Final = 3_600.0
log = structlog.get_logger()
_EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - where a server listens that is reached by another name


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCalls:
    """The parts that the process runs and ends.

    `name`: of the dialer; `place`: the file with the name of whoever dials here.
    """

    name: str
    place: Path
    recovery: Recovery
    manager: Manager
    dialer: Dialer
    talk: OfferTalk
    desk: OfferDesk
    meters: DialMeters
    ami_meters: AmiMeters
    recordings: Recordings
    table: CallTable
    trunk: Trunk

    @property
    def fault(self) -> str:
        """Why no call of a blast can be made now; empty where some can."""
        if away := asterisk_watch.told(self.manager):
            return away
        return f"the trunk carries no calls: {self.trunk.fault.told}" if self.trunk.fault else ""

    def works(self) -> tuple[Awaitable[None], ...]:
        """Each until cancelled. To be begun when this process listens: then its predecessor has ended."""
        return (self.manager.run(), self._dial(), self.desk.run(), self._sweep())

    def write(self) -> None:
        """What stands now, for the process's meter."""
        self.meters.write()
        self.ami_meters.write()

    async def end(self, talks: Awaitable[None]) -> None:
        """No more calls; those that nobody has answered are hung up. `talks`: until the others have ended."""
        await asyncio.gather(talks, self.dialer.stop_ringing())
        await self.dialer.close()
        await self.manager.stop()

    async def _dial(self) -> None:
        self.recovery.inherit(await asyncio.to_thread(succeed, self.place, self.name))
        await self.desk.catch_up()  # a refusal that was kept is in force before anybody is called
        await self.dialer.run()

    async def _sweep(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self.recordings.sweep, time.time())
            except OSError as err:
                log.warning("old recordings stay on disk", reason=err.strerror)
            await asyncio.sleep(SWEEP_EVERY_S)


def make_offer_calls(
    backing: Backing,
    redis: DurableRedis,
    keeper: CatalogKeeper,
    refusals: CallDesk,
    link: Callable[[str], str],
    meter: Meter,
) -> OfferCalls:
    """Nothing runs yet. To be called inside the event loop. `link`: as for the desk of calls."""
    settings = backing.settings
    ivr = settings.ivr
    name = os.urandom(8).hex()
    clock = FollowedClock(backing.redis, settings.clock_offset_s)
    queue = SqlQueue(backing=backing, dialer=name, clock=clock)
    manager, table, slowing = Manager(ivr.ami), CallTable(), Slowing()
    store = gate_store(backing, redis, Verifier(backing, redis.redis))
    filing = Filing(queue.end)
    trunk, pausing = Trunk(), Pausing(queue.pause)
    meters = DialMeters(meter, lambda: len(table), lambda: slowing.share(time.monotonic()))
    packs = policies.load()

    def ended(call: OfferCall, end: Ended) -> None:
        meters.ended(call, end)
        filing.add(end)

    def heard(call: OfferCall, end: CallEnd) -> None:
        now = time.monotonic()
        if blame(end) in (Blame.REFUSES, Blame.FAILS):
            slowing.on_congestion(now)
        if fault := trunk.ended(end, now, talking=table.talking()):
            pausing.add(call.due.blast_id, fault)

    ways = Ways(
        phone=manager,
        slots=OwedSlots(CallSlots(redis, Limits(ivr.offer_channels, ivr.offer_calls_per_s))),
        gate=Gate(store, packs),
        table=table,
        originate=partial(_originate, settings),
        share=lambda: slowing.share(time.monotonic()),
        now=clock.now,
        ended=ended,
        trunk=heard,
    )
    dialers = Dialers(redis)
    recovery = Recovery(name, dialers, queue.begun, queue.recover, manager)
    recordings = Recordings(backing.engine, ivr.sounds_dir.absolute())
    desk = offer_desk(backing, redis, keeper, refusals, link)
    dialer = Dialer(
        Line(
            policies=packs,
            number=queue.number,
            channels=ivr.offer_channels,
            deadline_s=lambda ring_s: ring_s + ivr.most_call_s + SLACK_S + GRACE_S,
        ),
        ways,
        blasts=RunningBlasts(queue.running, recordings),
        candidates=Candidates(queue.due),
        queue=queue,
        filing=filing,
        pausing=pausing,
        watch=Watch(table, store, manager),
        recovery=recovery,
        heartbeat=Heartbeat(name, dialers),
    )
    talk = OfferTalk(_line(settings), table.order, table.tell, desk, clock.now)
    return OfferCalls(
        name=name,
        place=settings.state_dir / f"dialer-{ivr.agi_port}",
        recovery=recovery,
        manager=manager,
        dialer=dialer,
        talk=talk,
        desk=desk,
        meters=meters,
        ami_meters=AmiMeters(meter, manager),
        recordings=recordings,
        table=table,
        trunk=trunk,
    )


def _line(settings: Settings) -> OfferLine:
    ivr = settings.ivr
    return OfferLine(
        sounds_dir=str(ivr.sounds_dir.absolute()),
        key_wait_s=ivr.key_wait_s,
        most_silences=ivr.most_silences,
        most_call_s=float(ivr.most_call_s),
    )


def _originate(settings: Settings, call: OfferCall) -> Originate:
    """Raises Unsendable."""
    ivr = settings.ivr
    variables = {}
    if ivr.agi_host not in _EVERYWHERE and ":" not in ivr.agi_host and ivr.agi_port:
        # Stands before the global one of the dialplan: the talk comes to this process, which has its order.
        variables["UNDERCAP_AGI"] = f"{ivr.agi_host}:{ivr.agi_port}"
    return Originate(
        channel=over_trunk(call.number, ivr.trunk),
        context="undercap-offer",
        caller_number=ivr.caller_number,
        ring_s=call.plan.ring_s,
        talk_s=ivr.most_call_s + SLACK_S,
        variables=variables,
    )
