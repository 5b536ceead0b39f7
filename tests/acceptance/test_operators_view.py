"""How an operator sees the links, and tries one with a text of his own."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Final

import pytest
import pytest_asyncio

from tests.acceptance.promotion import add_firm
from tests.acceptance.stand import Stand, standing
from tests.acceptance.test_long_texts import receipt, receipt_text
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.harness import HarnessError

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

LINK: Final = "peer"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """A gateway in front of one SMSC."""
    async with standing(tmp_path_factory.mktemp(f"view-{database.kind}"), {LINK: any_smsc()}) as stand:
        add_firm(stand.gateway)
        yield stand


async def send(stand: Stand, number: str, text: str, wait_s: int = 20) -> str:
    """`undercap smpp send`; what it printed."""
    words = ("--link", LINK, "--firm", "acme", "--from", "4040", "--to", f"+{number}", "--wait", str(wait_s))
    return await asyncio.to_thread(stand.gateway.cli, "smpp", "send", *words, text)


async def test_a_text_of_the_operators_own_and_its_whole_story(stand: Stand) -> None:
    shopper, smsc = stand.shopper(), stand.smscs[LINK]
    told = asyncio.ensure_future(send(stand, shopper.number, "Привіт, це проба"))
    await smsc.wait_submitted(lambda _: bool(smsc.sent_to(shopper.number)))
    sent = smsc.sent_to(shopper.number)[0]
    assert (sent.source, sent.body.decode("utf-16-be")) == ("4040", "Привіт, це проба")
    await stand.gateway.until(lambda: states(stand) == ["accepted"], "not accepted", timeout_s=20)
    assert await smsc.deliver(receipt(shopper, receipt_text(sent.message_id))) == 0
    story = (await told).splitlines()
    assert (story[0].split()[2], story[-1].split()[2]) == ("queued", "delivered")
    assert f"•••{shopper.number[-2:]}: 1 segment, id" in story[0]
    assert shopper.number not in "".join(story)
    assert sent.message_id in story[-1]


def states(stand: Stand) -> list[str]:
    """The states of all texts of the operator's own."""
    return [state for (state,) in stand.gateway.sql("SELECT state FROM message WHERE kind = 'trial'")]


async def test_what_cannot_be_sent_is_told(stand: Stand) -> None:
    words = ("--firm", "acme", "--from", "4040", "--to", "+380671234567")
    with pytest.raises(HarnessError, match=r"no link 'elsewhere'; there are: peer"):
        stand.gateway.cli("smpp", "send", "--link", "elsewhere", *words, "text")
    with pytest.raises(HarnessError, match="the number has"):
        await send(stand, "12", "text")


async def test_links_at_a_glance(stand: Stand) -> None:
    await stand.gateway.until(lambda: "bound" in shown(stand), "the link is not shown as bound", timeout_s=20)
    row = next(line for line in shown(stand).splitlines() if line.strip().startswith(LINK))
    assert re.search(r"peer +bound +\S+ \d+ +0 / 100 ", row)
    (link,) = json.loads(stand.gateway.cli("smpp", "links", "--json"))["links"]
    assert (link["name"], link["state"], link["window"]) == (LINK, "bound", 100)
    assert link["binds"] == [{"bind": "transceiver", "host": f"127.0.0.1:{stand.smscs[LINK].port}"}]


def shown(stand: Stand) -> str:
    """`undercap smpp links`, whatever its exit code."""
    try:
        return stand.gateway.cli("smpp", "links")
    except HarnessError as err:
        return str(err)
