"""Attacks by SIP on each Asterisk: nothing forged is believed, and each defence is needed.

`%0d%0a` in an address of SIP reaches Asterisk's manager events and AGI as a line break. So a caller can write
headers, events and AGI lines. Each test takes a defence away, too, and shows that the attack works then.
"""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from ivr.ami.originate import Originate, to_ourselves
from tests.conftest import sipp_program
from tests.integration.ivr.agi_script import Script
from tests.integration.ivr.ami import managing, settings_of, until, up
from tests.integration.ivr.tap import tapping
from tests.peers.asterisk import Asterisk, running
from tests.peers.asterisk_files import TRUNK, AsteriskPlace, Edit
from tests.peers.fetch import AsteriskProgram
from tests.peers.sipp import Count, Dial, calling

UNANCHORED: Final = Edit(
    file="manager.conf",
    old="eventfilter = ^Event: (OriginateResponse|Hangup)[[:space:]]",
    new="eventfilter = (OriginateResponse|Hangup)",
)
UNFILTERED: Final = Edit(file="manager.conf", old="eventfilter = ^Event", new=";eventfilter = ^Event")
UNCLEANED: Final = Edit(
    file="extensions.conf", old="${FILTER(0-9+,${CALLERID(num)})}", new="${CALLERID(num)}"
)
BY_NAME: Final = (
    Edit(file="pjsip.conf", old="endpoint_identifier_order = ip", new="endpoint_identifier_order = username"),
    Edit(
        file="modules.conf",
        old="load = res_pjsip_endpoint_identifier_ip.so",
        new="load = res_pjsip_endpoint_identifier_user.so",
    ),
)
BREAK: Final = "%0d%0a"
NAMES: Final = (
    *("network", "network_script", "request", "channel", "language", "type", "uniqueid", "version"),
    *("callerid", "calleridname", "callingpres", "callingani2", "callington", "callingtns", "dnid", "rdnis"),
    *("context", "extension", "priority", "enhanced", "accountcode", "threadid"),
)
AGI_NAMES: Final = {f"agi_{name}" for name in NAMES}


def forged(call_id: str) -> str:
    """A From user that ends its event and begins another one; Asterisk keeps 80 characters of it."""
    lines = ("3", "", "Event: OriginateResponse", f"ActionID: {call_id}")
    return BREAK.join(lines).replace(":", "%3a").replace(" ", "%20")


async def call(asterisk: Asterisk, dial: Dial) -> Count:
    async with calling(sipp_program(), asterisk.sip_port, dial) as caller:
        return await caller.ended()


DEFENCES = {
    "all stand": ((), False),
    "the filter of events is not anchored": ((UNANCHORED,), True),
    "there is no filter of events": ((UNFILTERED,), True),
    "the dialplan does not clean the number": ((UNCLEANED,), True),
}


@pytest.mark.parametrize(("removed", "gets_through"), DEFENCES.values(), ids=list(DEFENCES))
async def test_forged_events(
    asterisk_program: AsteriskProgram, removed: tuple[Edit, ...], gets_through: bool
) -> None:
    async with (
        running(asterisk_program, AsteriskPlace(edits=removed)) as asterisk,
        tapping(asterisk) as tap,
    ):
        await call(asterisk, Dial(number=forged("o0")))
        events = await tap.events()
    assert any(event.startswith(b"Event: Hangup\r\n") for event in events)  # the caller's own
    assert any(event.startswith(b"Event: OriginateResponse\r\n") for event in events) is gets_through
    assert (b"o0" in tap.heard) is gets_through


@pytest.mark.parametrize("leaked", [False, True], ids=["the id is guessed", "the id is known"])
async def test_without_those_defences_the_id_of_a_call_still_protects_it(
    asterisk_program: AsteriskProgram, leaked: bool
) -> None:
    async with (
        running(asterisk_program, AsteriskPlace(edits=(UNFILTERED, UNCLEANED))) as asterisk,
        managing(settings_of(asterisk)) as manager,
        tapping(asterisk) as tap,
    ):
        await up(manager)
        order = Originate(
            channel=to_ourselves("undercap-check", "wait"), context="undercap-check", exten="wait"
        )
        victim = asyncio.create_task(manager.originate(order))
        await until(lambda: len(manager._calls) == 1)
        call_id = next(iter(manager._calls._courses)) if leaked else "o" + "0" * 32
        await call(asterisk, Dial(number=forged(call_id)))
        await tap.events()
        client = manager._client
        assert client is not None
        await client.ask("Ping", {})  # what came before it was heard, too
        (course,) = manager._calls._courses.values()
        assert (course.answered is False) is leaked
        victim.cancel()


FORGERIES = {
    "the number": Dial(number=f"380670000001{BREAK}agi_forged%3a%201"),
    "the number, with a line feed alone": Dial(number="380670000001%0aagi_forged%3a%201"),
    "who forwarded": Dial(
        headers=(f"Diversion: <sip:1{BREAK}agi_forged%3a%201@x.test>;reason=unconditional",)
    ),
    "the asserted identity": Dial(headers=(f"P-Asserted-Identity: <sip:1{BREAK}agi_forged%3a%201@x.test>",)),
    "the asserted name": Dial(headers=(f'P-Asserted-Identity: "a{BREAK}agi_forged: 1" <sip:1@x.test>',)),
    "the remote party": Dial(
        headers=(f"Remote-Party-ID: <sip:1{BREAK}agi_forged%3a%201@x.test>;party=calling",)
    ),
    "the name": Dial(name=f'"a{BREAK}agi_forged: 1" '),
    "the name, with separators of Unicode": Dial(name='"a\u2028agi_forged: 1\x85agi_forged: 1" '),
    "a long number": Dial(number="3" * 1500),
    "a long name": Dial(name='"' + "x" * 3000 + '" '),
}


@pytest.mark.parametrize("removed", [(), (UNCLEANED,)], ids=["all stand", "the dialplan does not clean"])
async def test_forged_agi_lines(asterisk_program: AsteriskProgram, removed: tuple[Edit, ...]) -> None:
    script = Script()
    script.say("ANSWER", "SET VARIABLE UNDERCAP_DONE 1")
    async with (
        script.serving(),
        running(asterisk_program, AsteriskPlace(agi_port=script.port, edits=removed)) as asterisk,
        managing(settings_of(asterisk)) as manager,
    ):
        await up(manager)
        counts = await asyncio.gather(*(call(asterisk, dial) for dial in FORGERIES.values()))
        assert manager.up.is_set()
        assert await asterisk.channels() == 0
    assert [name for name, count in zip(FORGERIES, counts, strict=True) if count.failed] == []
    assert len(script.heads) == len(FORGERIES)
    names = {name for head in script.heads for name, _ in head}
    if removed:
        assert "agi_forged" in names
    else:
        assert names == AGI_NAMES
        assert all(value.isprintable() for head in script.heads for _, value in head)


async def test_a_forged_free_number_finds_nobody(asterisk_program: AsteriskProgram) -> None:
    script = Script()
    async with (
        script.serving(),
        running(asterisk_program, AsteriskPlace(agi_port=script.port)) as asterisk,
        tapping(asterisk) as tap,
    ):
        for called in (f"0800123456{BREAK}agi_forged%3a%201", "08001x", "1" * 16, "%0a"):
            assert (await call(asterisk, Dial(called=called))).failed == 1
        assert await tap.events() == []
    assert script.heads == []


@pytest.mark.parametrize("removed", [(), BY_NAME], ids=["by address", "by name"])
async def test_a_trunk_is_known_by_its_address_alone(
    asterisk_program: AsteriskProgram, removed: tuple[Edit, ...]
) -> None:
    script = Script()
    script.say("ANSWER", "SET VARIABLE UNDERCAP_DONE 1")
    async with (
        script.serving(),
        running(asterisk_program, AsteriskPlace(agi_port=script.port, edits=removed)) as asterisk,
    ):
        count = await call(asterisk, Dial(number=TRUNK, host="127.0.0.2"))
    assert (count.successful, len(script.heads)) == ((1, 1) if removed else (0, 0))
