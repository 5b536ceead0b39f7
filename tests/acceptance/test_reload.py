"""SIGHUP to `undercap up`: links follow the settings one by one, seen from their SMSCs."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.promotion import Code, add_campaign, add_firm, known
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.harness import link_table
from tests.peers.smsc import Behaviour, Delivery, SmscPeer

KEPT, OTHER = "kept", "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A gateway between two SMSCs; `kept` is the link whose settings never change."""

    stand: Stand
    codes: list[Code]

    @property
    def kept(self) -> SmscPeer:
        return self.stand.smscs[KEPT]

    @property
    def other(self) -> SmscPeer:
        return self.stand.smscs[OTHER]

    def hang_up(self) -> None:
        """SIGHUP to `undercap up`."""
        pid = self.stand.gateway.pid("up")
        assert pid is not None
        os.kill(pid, signal.SIGHUP)

    def reload(self, *links: dict[str, object]) -> None:
        """These links, from now on."""
        self.stand.gateway.links = list(links)
        self.stand.gateway.write_config()
        self.hang_up()

    async def until(self, said: str) -> str:
        """The line of the log that says so."""
        log = self.stand.gateway.state / "up.log"
        found: list[str] = []

        def told() -> bool:
            found[:] = [line for line in log.read_text(encoding="utf-8").splitlines() if said in line]
            return bool(found)

        await self.stand.gateway.until(told, f"nothing said: {said}", timeout_s=20)
        return found[-1]

    async def works(self, link: str) -> None:
        """A code is texted over a link, and confirmed over it."""
        shopper = self.stand.shopper()
        assert "10" in await self.stand.exchange(link, shopper, self.codes.pop().printed)

    async def delivered_by(self, name: str, smsc: SmscPeer) -> None:
        """A text comes by a link of an SMSC that `stand` does not know, its answer's receipt too."""
        shopper = self.stand.shopper()
        body = self.codes.pop().printed.encode()
        text = Delivery(source=shopper.number, destination="4040", body=body)
        assert await smsc.deliver(text) == 0
        await smsc.wait_submitted(lambda all_: any(s.destination == shopper.number for s in all_))
        (sent,) = smsc.sent_to(shopper.number)
        receipt = f"id:{sent.message_id} sub:001 dlvrd:001 stat:DELIVRD err:000 text:".encode()
        told = Delivery(source=shopper.number, destination="4040", body=receipt, esm_class=4)
        assert await smsc.deliver(told) == 0

        def filed() -> bool:
            return [(r.link, r.state) for r in self.stand.stored(shopper).replies] == [(name, "delivered")]

        await self.stand.gateway.until(filed, "the receipt does not reach the ledger", timeout_s=20)

    def binds(self, link: str) -> float:
        """How often a link was bound since the gateway started."""
        return self.stand.counted("undercap_smpp_events_total", link=link, event="binds")


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    program = any_smsc()
    async with standing(tmp_path / "s", {KEPT: program, OTHER: program}) as stand:
        add_firm(stand.gateway)
        codes = add_campaign(stand.gateway).codes(100, take=50)
        await known(stand, KEPT, codes.pop())
        yield Scene(stand=stand, codes=codes)


def table(name: str, smsc: SmscPeer, **changes: object) -> dict[str, object]:
    return link_table(smsc.port, name=name, **changes)


async def test_links_are_changed_added_and_removed_without_dropping_another(scene: Scene) -> None:
    kept, before = list(scene.kept.bound), list(scene.other.bound)
    assert (len(kept), len(before)) == (1, 1)

    scene.reload(table(KEPT, scene.kept), table(OTHER, scene.other, transceivers=2, window=3))
    line = await scene.until("settings reloaded")
    assert '"changed": ["other"]' in line or '"changed":["other"]' in line
    await scene.stand.gateway.until(lambda: len(scene.other.bound) == 2, "not bound twice")
    assert not set(before) & set(scene.other.bound)
    await scene.works(KEPT)
    await scene.works(OTHER)

    third = SmscPeer(any_smsc())
    await third.start()
    try:
        scene.reload(table(KEPT, scene.kept), table("third", third))
        await third.wait_bound()
        await scene.stand.gateway.until(lambda: not scene.other.bound, "still bound")
        await scene.works(KEPT)
        assert list(scene.kept.bound) == kept
        await scene.delivered_by("third", third)
        await scene.stand.gateway.until(lambda: scene.binds("third") == 1, "no bind is counted")
        assert scene.binds(KEPT) == 1
        counted_on = "not counted on over its change and to its end"
        await scene.stand.gateway.until(lambda: scene.binds(OTHER) == 3, counted_on)
    finally:
        await third.stop()


async def test_with_a_fault_the_old_settings_stay_and_all_faults_are_told(scene: Scene) -> None:
    kept, other = list(scene.kept.bound), list(scene.other.bound)
    config = scene.stand.gateway.config
    good = config.read_text(encoding="utf-8")
    config.write_text(
        good + "weight = 0\ntls_key_file = '/nowhere'\n[limits]\nmesages = 3\n", encoding="utf-8"
    )
    scene.hang_up()
    line = await scene.until("settings not reloaded")
    for fault in ("smpp.links.1.weight", "limits.mesages"):
        assert fault in line
    assert "secret" not in line
    await scene.works(KEPT)
    await scene.works(OTHER)
    assert (list(scene.kept.bound), list(scene.other.bound)) == (kept, other)

    config.write_text(good, encoding="utf-8")
    scene.hang_up()
    line = await scene.until("settings reloaded")
    assert (list(scene.kept.bound), list(scene.other.bound)) == (kept, other)


async def test_what_is_in_flight_on_a_changed_link_is_finished_first(scene: Scene) -> None:
    shopper, code = scene.stand.shopper(), scene.codes.pop()
    before = list(scene.other.bound)
    scene.other.behave(Behaviour(answer_delay_s=1.0))
    assert await scene.stand.text(OTHER, shopper, code.printed) == 0
    await scene.other.wait_submitted(lambda all_: any(s.destination == shopper.number for s in all_))
    scene.reload(table(KEPT, scene.kept), table(OTHER, scene.other, window=7))
    await scene.stand.gateway.until(
        lambda: bool(scene.other.bound) and not set(before) & set(scene.other.bound), "not bound anew"
    )
    await scene.stand.answers(OTHER, shopper)
    assert [reply.attempts for reply in scene.stand.stored(shopper).replies] == [1]
    assert len(scene.other.sent_to(shopper.number)) == 1
    await asyncio.gather(scene.works(KEPT), scene.works(OTHER))


async def test_a_stop_in_the_middle_of_a_reload_finishes_what_is_in_flight_on_every_link(
    scene: Scene,
) -> None:
    shopper, another = scene.stand.shopper(), scene.stand.shopper()
    gateway = scene.stand.gateway
    scene.other.behave(Behaviour(answer_delay_s=2.0))
    scene.kept.behave(Behaviour(answer_delay_s=1.0))
    assert await scene.stand.text(OTHER, another, scene.codes.pop().printed) == 0
    await scene.other.wait_submitted(lambda all_: any(s.destination == another.number for s in all_))
    scene.reload(table(KEPT, scene.kept), table(OTHER, scene.other, window=7))
    await scene.until('"state":"stopping"')
    assert await scene.stand.text(KEPT, shopper, scene.codes.pop().printed) == 0
    await scene.kept.wait_submitted(lambda all_: any(s.destination == shopper.number for s in all_))
    await gateway.stop()

    gateway.start("up")
    for link, texter in ((OTHER, another), (KEPT, shopper)):
        await scene.stand.answers(link, texter)
        assert [reply.attempts for reply in scene.stand.stored(texter).replies] == [1]
    assert "Traceback" not in (gateway.state / "up.log").read_text(encoding="utf-8")


async def test_what_is_no_link_is_told_to_wait_for_a_restart(scene: Scene) -> None:
    scene.stand.gateway.settings["limits"] = {"messages_per_minute": 7}
    scene.reload(table(KEPT, scene.kept), table(OTHER, scene.other))
    line = await scene.until("take effect with the next start only")
    assert "limits" in line


async def test_the_patience_with_storage_follows(scene: Scene) -> None:
    scene.reload(table(KEPT, scene.kept), table(OTHER, scene.other, storage_timeout_s=0.5))
    await scene.until("settings reloaded")
    await scene.stand.gateway.until(lambda: bool(scene.other.bound), "not bound anew")
    with scene.stand.writes_held():
        begun = time.monotonic()
        assert await scene.stand.text(KEPT, scene.stand.shopper(), scene.codes[-1].printed) == 0x64
        assert time.monotonic() - begun < 5.0  # by default ten
