"""A call from Asterisk to itself: it is made over AMI, and answered by an AGI server of the doctor's own.

So one call shows that both ways are open, and in it Asterisk is asked what the doctor has to know: no more
rights than those of our user are needed for that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from config import asterisk, prompts
from config.texts import LANGUAGES
from ivr.agi.channel import Channel
from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.ami.call_result import CallEnd
from ivr.ami.manager import Manager
from ivr.ami.originate import Originate, to_ourselves

CONTEXT: Final = "undercap-check"
RING_S: Final = 3.0
TALK_S: Final = 15.0
GLOBALS: Final = ("UNDERCAP_AGI", "UNDERCAP_SOUNDS", "UNDERCAP_MOST_CALLS")
FORMS: Final = ("wav", "sln", "gsm", "alaw", "ulaw")  # of a sound file


@dataclass(slots=True)
class Told:
    """What Asterisk said of itself. `reached`: that it came to the doctor at all."""

    reached: bool = False
    version: str = ""
    missing_modules: list[str] = field(default_factory=list)
    globals: dict[str, str] = field(default_factory=dict)
    missing_sounds: list[str] = field(default_factory=list)


async def loop_call(manager: Manager, agi_host: str, sounds: str) -> tuple[CallEnd, Told]:
    """Make the call. `sounds`: the folder of prompts that Asterisk should know.

    Raises OSError where agi_host is no address of ours, and AmiError.
    """
    told = Told()

    async def ask(channel: Channel) -> None:
        await _ask(channel, told, sounds)

    server = AgiServer({"/check": ask}, AgiLimits(most_calls=2, call_s=TALK_S), _ignore)
    port = await server.start(agi_host, 0)
    try:
        end = await manager.originate(
            Originate(
                channel=to_ourselves(CONTEXT, "Hangup"),
                context=CONTEXT,
                exten="wait",
                ring_s=RING_S,
                talk_s=TALK_S,
                variables={"UNDERCAP_AGI": f"{agi_host}:{port}"},
            )
        )
    finally:
        await server.stop(0.0)
    return end, told


async def _ask(channel: Channel, told: Told, sounds: str) -> None:
    told.reached = True
    told.version = channel.env.get("version", "")
    await channel.answer()
    for module in asterisk.modules():
        if await channel.evaluate("IFMODULE", module) != "1":
            told.missing_modules.append(module)
    for name in GLOBALS:
        told.globals[name] = await channel.evaluate("GLOBAL", name)
    if told.globals["UNDERCAP_SOUNDS"] == sounds:
        told.missing_sounds = [name for name in _prompts() if not await _there(channel, f"{sounds}/{name}")]


def _prompts() -> Iterable[str]:
    return (
        f"{language}/{name}" for language in LANGUAGES for name in (*prompts.load(language), prompts.PAUSE)
    )


async def _there(channel: Channel, file: str) -> bool:
    for form in FORMS:
        if await channel.evaluate("STAT", "e", f"{file}.{form}") == "1":
            return True
    return False


def _ignore(fault: Fault) -> None:
    """What came of the call says it all."""
