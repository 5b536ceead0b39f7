"""Offer calls end to end: a marketer, `undercap up`, a real Asterisk, a callee with a keypad, a real SMSC."""

from __future__ import annotations

import asyncio
import shlex
import shutil
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.offers import Marketer, marketer, to_noon
from tests.acceptance.phone import Shopper, shown
from tests.acceptance.stand import standing
from tests.conftest import any_asterisk, any_smsc, peer_of, sipp_program
from tests.databases import Databases
from tests.integration.ivr.conftest import VOICE, brisk, spoken
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, free_port
from tests.peers.hearing import likeness, samples, write_prompt
from tests.peers.talking import Callee, talking

__all__ = ["brisk", "spoken"]
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(150)]

LINK: Final = "peer"
ALIKE: Final = 0.9
AT_ONCE_S: Final = 1.0
OUT: Final = "You are unsubscribed. We will not send you any more offers."


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A marketer whose gateway calls over an Asterisk."""

    acme: Marketer
    asterisk: Asterisk
    recordings: dict[str, int]

    @asynccontextmanager
    async def call(self, region: str) -> AsyncIterator[tuple[Shopper, int, Callee]]:
        """A blast calls its one shopper, of a region of five digits: who, which, and the telephone."""
        (number,) = self.acme.shoppers(1, region)
        plan = {"spoken": {"en": self.recordings}, "on_machine": "ignore"}
        blast = self.acme.blast(region, region=region, channel="call", call=plan)
        async with talking(sipp_program(), self.asterisk.place.callee_port) as callee:
            assert self.acme.turn(blast, "launch") == "running"
            await callee.answered(within_s=30.0)
            yield Shopper(number=number, name=region), blast, callee

    async def heard(self, callee: Callee, *, least_s: float) -> None:
        """Until so much was heard."""
        complaint = "nothing is said"
        await self.acme.stand.gateway.until(lambda: len(callee.heard) > least_s * 8000, complaint)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    tmp_path_factory: pytest.TempPathFactory, database: Databases, brisk: Path
) -> AsyncIterator[Scene]:
    """At noon of a weekday."""
    state = tmp_path_factory.mktemp(f"calls-{database.kind}")
    sounds = state / "sounds"
    shutil.copytree(brisk, sounds)
    agi_port = free_port(socket.SOCK_STREAM)
    place = AsteriskPlace(agi_port=agi_port, callee_port=free_port(socket.SOCK_DGRAM), sounds=sounds)
    async with running(any_asterisk(), place) as asterisk:
        ivr: dict[str, object] = {
            "enabled": True,
            "dial": True,
            "trunk": TRUNK,
            "agi_port": agi_port,
            "ami": {"port": asterisk.ami_port, "secret": asterisk.secret},
            "sounds_dir": str(sounds),
            "key_wait_s": 1.0,
            "sox": shlex.join(peer_of(VOICE, "sox").argv),
        }
        settings: dict[str, dict[str, object]] = {"ivr": ivr, "http": {"port": 0}}
        async with standing(state, {LINK: any_smsc()}, settings=settings, clock_offset_s=to_noon()) as stand:
            acme = await marketer(stand)
            yield Scene(acme=acme, asterisk=asterisk, recordings=_recordings(acme, state))


def _recordings(acme: Marketer, folder: Path) -> dict[str, int]:
    """Two, added by command; their ids."""
    found = {}
    pitches = {"intro": (500, 1700, 800, 1300, 650, 2100), "offer": (900, 450, 1500, 700, 1900, 1100)}
    for name, tones in pitches.items():
        write_prompt(folder / f"{name}.wav", tones)
        named = ("--firm", "acme", "--name", name, "--language", "en", str(folder / f"{name}.wav"))
        told = acme.stand.gateway.cli("recording", "add", *named)
        found[name] = int(told.split()[1].rstrip(":"))
    return found


async def test_who_presses_1_gets_the_offer_by_sms(scene: Scene) -> None:
    async with scene.call("38050") as (shopper, blast, callee):
        await scene.heard(callee, least_s=2.0)
        await callee.press("1")
        await callee.ended()
        heard = callee.heard
    results = await scene.acme.over(blast)
    assert results["state"] == "finished"
    await scene.acme.until_sent([shopper.number], 1)
    assert shown(scene.acme.stand.smscs[LINK].sent_to(shopper.number)) == [
        "10 points at Acme. STOP to refuse"
    ]
    await asyncio.to_thread(_was_said, heard, scene.asterisk.sounds)


def _was_said(heard: Sequence[int], sounds: Path) -> None:
    recordings = list((sounds / "offers").glob("*.wav"))
    assert len(recordings) == 2
    for file in recordings:
        assert likeness(heard, samples(file)) >= ALIKE


async def test_who_presses_9_is_called_and_texted_no_more_at_once(scene: Scene) -> None:
    async with scene.call("38066") as (shopper, _, callee):
        await scene.heard(callee, least_s=0.5)
        assert scene.acme.stand.consent_word(shopper) == "in"
        pressed_at = time.monotonic()
        await callee.press("9")
        await callee.hang_up()
        await scene.acme.stand.gateway.until(
            lambda: scene.acme.stand.consent_word(shopper) == "out", "the no is not in force", every_s=0.01
        )
        assert time.monotonic() - pressed_at < AT_ONCE_S
        await callee.ended()
    assert (await scene.acme.stand.answers(LINK, shopper))[-1] == OUT
    text = scene.acme.blast("again", region="38066")
    told = scene.acme.ask("POST", f"/v1/blasts/{text}/preflight")
    assert told["denied"] in ({}, {"withdrawn": 10})  # of one person none or ten
    assert told["now"] == "fewer than 10"
