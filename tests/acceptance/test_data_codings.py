"""Texts in every alphabet, in and out, through each SMSC: what data_coding says, or the link means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from config.texts import load
from tests.acceptance.promotion import Supply, add_campaign, add_firm, known, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import SMSCS, smsc_program
from tests.databases import Databases
from tests.peers.smsc import Delivery

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"
OWN_UCS2: Final = 0x0E
OWN_CODINGS: Final = {f"0x{OWN_UCS2:X}": "ucs2", "3": "iso8859-5"}  # what this SMSC means by them


@dataclass(frozen=True, kw_only=True, slots=True)
class Scene:
    """A gateway in front of one SMSC, with codes that it knows."""

    stand: Stand
    supply: Supply


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=sorted(SMSCS))
async def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: Databases
) -> AsyncIterator[Scene]:
    """One gateway for each SMSC."""
    smscs = {LINK: smsc_program(request.param)}
    link = {"data_codings": OWN_CODINGS}
    async with standing(tmp_path_factory.mktemp(f"codings-{database.kind}"), smscs, link=link) as stand:
        yield Scene(stand=stand, supply=await running_campaign(stand, language="ru"))


def own_words(stand: Stand, words: str, number: str) -> Supply:
    """A campaign at a short number with words of its own."""
    file = stand.gateway.state / f"texts-{number}.toml"
    file.write_text(f"[en]\n{words}", encoding="utf-8")
    campaign = add_campaign(stand.gateway, "--texts", str(file), numbers=(number,))
    return Supply(campaign=campaign, codes=campaign.codes(10, take=4))


@pytest.mark.parametrize(
    ("data_coding", "written"),
    [
        pytest.param(0x00, "ascii", id="the SMSC's default"),
        pytest.param(0x01, "ascii", id="ASCII"),
        pytest.param(0x02, "utf-8", id="binary that is UTF-8"),
        pytest.param(0x04, "latin-1", id="binary that is plain"),
        pytest.param(0x06, "iso8859-5", id="Cyrillic"),
        pytest.param(0x08, "utf-16-be", id="UCS-2"),
        pytest.param(0x19, "utf-16-be", id="class 1, UCS-2"),
        pytest.param(0xF1, "ascii", id="class 1, GSM"),
        pytest.param(0xF5, "utf-8", id="class 1, 8-bit"),
        pytest.param(0x03, "iso8859-5", id="the link's own meaning"),
        pytest.param(OWN_UCS2, "utf-16-be", id="UCS-2 by the link's own number"),
    ],
)
async def test_a_text_in_any_data_coding_is_read(scene: Scene, data_coding: int, written: str) -> None:
    shopper, code = scene.stand.shopper(), scene.supply.next()
    words = "STOP " if written in {"ascii", "latin-1"} else "СТОП "
    delivery = Delivery(
        source=shopper.number,
        destination="4040",
        body=(words + code.printed).encode(written),
        data_coding=data_coding,
    )
    assert await scene.stand.smscs[LINK].deliver(delivery) == 0
    (answer,) = await scene.stand.answers(LINK, shopper)
    assert [row[1] for row in scene.stand.stored(shopper).activations] == [code.serial]
    assert scene.stand.consent_word(shopper) == "out", answer


async def test_signs_with_plain_twins_do_not_cost_a_segment(scene: Scene) -> None:
    words = "you have won another prize of the summer " * 2
    supply = own_words(scene.stand, f'activated = "“Hooray” – {{points}}… {words}{{balance}}"', "5050")
    await known(scene.stand, LINK, supply.next(), to="5050")
    shopper = scene.stand.shopper()
    answer = await scene.stand.exchange(LINK, shopper, supply.next().printed, to="5050")
    assert answer == f'"Hooray" - 10 points... {words}10'
    assert [reply.segments for reply in scene.stand.stored(shopper).replies] == [1]
    assert [submit.data_coding for submit in scene.stand.smscs[LINK].sent_to(shopper.number)] == [0]


@pytest.mark.parametrize("smsc", sorted(SMSCS))
async def test_answers_leave_in_the_codings_of_the_link(smsc: str, tmp_path: Path) -> None:
    codings = {"0": "latin1", "8": "utf8", "0x18": "ucs2"}
    link = {"data_codings": codings, "replace_look_alikes": False}
    async with standing(tmp_path, {LINK: smsc_program(smsc)}, link=link) as stand:
        peer = stand.smscs[LINK]
        add_firm(stand.gateway)
        supply = own_words(stand, 'balance = "Été: {points}"\nhelp = "Été – “{campaign}”"', "4040")
        await known(stand, LINK, supply.next())
        asked = {"BALANCE": 0, "HELP": 0, "Баланс": 8, "Допомога": 8}
        told = []
        for text, coding in asked.items():
            shopper = stand.shopper(text)
            sent = Delivery(source=shopper.number, destination="4040", body=text.encode(), data_coding=coding)
            assert await peer.deliver(sent) == 0
            await peer.wait_submitted(lambda _, to=shopper.number: bool(peer.sent_to(to)))  # type: ignore[misc]
            (submit,) = peer.sent_to(shopper.number)
            told.append((submit.data_coding, submit.body))
        assert told[0] == (0, "Été: 0 points".encode("latin-1"))
        assert told[1] == (0x18, "Été – “Caps”".encode("utf-16-be"))
        assert told[2] == told[0]  # asked in UTF-8, by the number that means UCS-2 elsewhere
        assert told[3] == (0x18, load("uk").say("help").encode("utf-16-be"))
