"""Blasts by call through a real Asterisk: key 1 brings the text, and so does not to be reached."""

from __future__ import annotations

import shlex
import socket
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from config import prompts
from gateway.domain.offers.least_count import FEWER
from tests.acceptance.offers import WORDS, Marketer, marketer, to_noon
from tests.acceptance.stand import standing
from tests.conftest import any_asterisk, any_smsc, peer_of, sipp_program
from tests.databases import Databases
from tests.integration.ivr.ami import channels
from tests.peers import fetch
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, free_port
from tests.peers.callee import answering
from tests.peers.hearing import likeness, samples, write_prompt
from tests.peers.smsc import Behaviour
from tests.peers.talking import talking

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

LINK: Final = "peer"
ALIKE: Final = 0.9
INTRO = (500, 1700, 800, 1300, 650, 2100, 1000, 400, 1900, 900, 1500, 700)
NO_SUCH_NUMBER: Final = 0x0B  # ESME_RINVDSTADR, SMPP 3.4 section 5.1.3
OFFER = (900, 450, 1500, 700, 1900, 1100, 600, 2000)


@dataclass(frozen=True, kw_only=True)
class Street:
    """A marketer, the telephones of whose shoppers ring at one port, and what they would hear."""

    acme: Marketer
    asterisk: Asterisk
    intro: Path
    plan: dict[str, Any]

    def outcomes(self, blast: int) -> Counter[str]:
        """Of the people of a blast, as SQL has them."""
        rows = self.acme.stand.gateway.sql("SELECT outcome FROM offer_call WHERE blast_id = :b", b=blast)
        return Counter(str(outcome) for (outcome,) in rows)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Street]:
    """A gateway at noon of a weekday, its operator, its Asterisk, and two recordings of its firm."""
    place = AsteriskPlace(agi_port=free_port(socket.SOCK_STREAM), callee_port=free_port(socket.SOCK_DGRAM))
    folder = tmp_path_factory.mktemp(f"street-{database.kind}")
    async with running(any_asterisk(), place) as asterisk:
        for at, name in enumerate(prompts.SENTENCES):
            write_prompt(asterisk.sounds / "en" / f"{name}.wav", (400 + 60 * at, 2400 - 50 * at))
        settings = {"ivr": ivr(asterisk)}
        async with standing(
            folder / "gateway", {LINK: any_smsc()}, settings=settings, clock_offset_s=to_noon()
        ) as stand:
            acme = await marketer(stand)
            intro, offer = folder / "intro.wav", folder / "offer.wav"
            write_prompt(intro, INTRO)
            write_prompt(offer, OFFER)
            said = {"intro": acme.upload("intro", "en", intro), "offer": acme.upload("offer", "en", offer)}
            intro.write_bytes(acme.sound(said["intro"]))
            plan = {"spoken": {"en": said}, "on_machine": "ignore", "calls_per_s": 20}
            yield Street(acme=acme, asterisk=asterisk, intro=intro, plan=plan)


def ivr(asterisk: Asterisk) -> dict[str, object]:
    """The settings of the dialer, and of the talk."""
    return {
        "enabled": True,
        "dial": True,
        "trunk": TRUNK,
        "agi_port": asterisk.place.agi_port,
        "ami": {"port": asterisk.ami_port, "secret": asterisk.secret},
        "sounds_dir": str(asterisk.sounds),
        "key_wait_s": 1.0,
        "offer_calls_per_s": 20.0,
        "sox": shlex.join(peer_of({"sox": fetch.sox}, "sox").argv),
    }


async def test_whoever_presses_1_gets_the_offer_by_sms(street: Street) -> None:
    acme = street.acme
    (number,) = acme.shoppers(1, "38050")
    blast = acme.blast("by call", region="38050", channel="call", call=street.plan)
    assert acme.ask("POST", f"/v1/blasts/{blast}/preflight")["may_launch"]
    async with talking(sipp_program(), street.asterisk.place.callee_port) as callee:
        acme.turn(blast, "launch")
        await callee.answered()
        intro = samples(street.intro)  # as it is kept
        await acme.stand.gateway.until(lambda: len(callee.heard) > len(intro), "the intro is not heard")
        await callee.press("1")
        await callee.ended()
        assert likeness(callee.heard, intro) > ALIKE
        found = await acme.over(blast)
    await acme.until_sent([number], 1)
    (text,) = [one for one in acme.journal() if one.destination == number]
    assert b"10 points at Acme" in text.body
    assert street.outcomes(blast) == {"accepted": 1}
    assert found["state"] == "finished"
    assert found["calls"]["by_outcome"].get("accepted", FEWER) in (
        FEWER,
        10,
    )  # too few to be told as they are
    assert acme.results(blast)["texts_by_state"].get("sent", FEWER) in (FEWER, 10)


async def test_whom_the_call_does_not_reach_gets_a_text_once(street: Street) -> None:
    acme = street.acme
    numbers = acme.shoppers(12, "38066")
    never = acme.shoppers(3, "38066", first=100, consent="|in:1")  # said yes to calls, nothing of texts
    calls = acme.blast("calls", region="38066", channel="call", call={**street.plan, "max_attempts": 1})
    draft = {"name": "texts", "follows": calls, "campaign": acme.campaign, "texts": WORDS}
    texts = int(acme.ask("POST", "/v1/blasts", draft)["id"])
    assert acme.turn(texts, "launch") == "running"
    async with answering(sipp_program(), street.asterisk.place.callee_port, status="486 Busy Here"):
        acme.turn(calls, "launch")
        found = await acme.over(calls)
    assert found["calls"]["by_outcome"]["busy"] in (10, 20)
    followed = await acme.over(texts)
    assert acme.received(numbers) == Counter(numbers)
    assert acme.received(never) == Counter()
    assert followed["state"] == "finished"
    assert followed["texts_by_state"]["sent"] in (10, 20)
    assert followed["denied"].get("no_consent", FEWER) in (FEWER, 10)


async def test_whom_a_text_does_not_reach_is_called(street: Street) -> None:
    acme = street.acme
    acme.shoppers(3, "38097")
    texts = acme.blast("texts first", region="38097")
    draft = {"name": "then calls", "follows": texts, "campaign": acme.campaign, "texts": WORDS}
    calls = int(acme.ask("POST", "/v1/blasts", {**draft, "channel": "call", "call": street.plan})["id"])
    acme.stand.smscs[LINK].behave(Behaviour(throttle_next=2, throttle_status=NO_SUCH_NUMBER))
    async with answering(sipp_program(), street.asterisk.place.callee_port, status="603 Decline"):
        assert acme.turn(calls, "launch") == "running"
        acme.turn(texts, "launch")
        await acme.over(texts)
        await acme.stand.gateway.until(
            lambda: street.outcomes(calls)["rejected"] == 2, "the two are not called", every_s=0.2
        )
    states = acme.stand.gateway.sql("SELECT state FROM message WHERE blast_id = :blast", blast=texts)
    assert sorted(state for (state,) in states) == ["accepted", "failed", "failed"]
    # The third text was accepted, and has an hour for its receipt before its reader is called.
    found = acme.results(calls)
    assert found["state"] == "running"
    assert street.outcomes(calls) == {"rejected": 2}
    acme.turn(calls, "cancel")


async def test_what_a_killed_process_lets_ring_is_hung_up_by_the_next_and_never_called_again(
    street: Street,
) -> None:
    acme, gateway = street.acme, street.acme.stand.gateway
    acme.shoppers(1, "38063")
    blast = acme.blast("killed", region="38063", channel="call", call={**street.plan, "ring_s": 60})
    async with answering(sipp_program(), street.asterisk.place.callee_port, status="180 Ringing"):
        acme.turn(blast, "launch")
        await channels(street.asterisk, lambda count: count == 1)
        assert gateway.kill("ivr")
        await channels(street.asterisk, lambda count: count == 0)  # in far less than the time of silence
        found = await acme.over(blast)
    assert street.outcomes(blast) == {"unknown": 1}
    assert found["calls"]["unknown"] == 1
