"""The doctor's checks of Asterisk: reachable, our user, its rights, the filter, a call from it to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from config import asterisk as asterisk_files
from config.ivr_settings import IvrSettings
from config.settings import Settings
from gateway.entry.doctor.findings import Finding, fail, good, warn
from gateway.entry.doctor.loop_call import Told, loop_call
from ivr.ami.call_result import CallEnd
from ivr.ami.client import AmiClient
from ivr.ami.faults import AmiError, LoginRefused, Refused
from ivr.ami.manager import Manager

README: Final = f"see {Path(asterisk_files.__file__).parent / 'README.md'}"
KNOWN_MAJORS: Final = range(16, 23)
SHOWN: Final = 3  # of a long list
# Without these no talk is possible; the rest may be otherwise on an Asterisk without PJSIP.
NEEDED: Final = frozenset(
    f"{name}.so"
    for name in (
        *("app_playback", "app_read", "format_wav", "func_callerid", "func_groupcount", "func_strings"),
        *("func_timeout", "res_agi"),
    )
)
# Each asks for a right that our user should not have, and would change nothing if it had.
RIGHTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "command": ("Command", {"Command": "core show version"}),
    "config": ("ListCategories", {"Filename": "undercap-none.conf"}),
    "system": ("ModuleCheck", {"Module": "res_agi"}),
    "reporting": ("CoreStatus", {}),
}


def asterisk(settings: Settings) -> Iterator[Finding]:
    """Nothing where no calls are taken."""
    if settings.ivr.enabled:
        yield from asyncio.run(_asterisk(settings.ivr))


async def _asterisk(ivr: IvrSettings) -> list[Finding]:
    name, where = "Asterisk", f"{ivr.ami.host}:{ivr.ami.port}"
    client = AmiClient(ivr.ami, lambda _event, _headers: None)
    try:
        await client.open()
        found = [
            good(name, f"{where} takes our user{' over TLS' if ivr.ami.tls else ''}"),
            await _rights(client),
            *await _may_hang_up(client, ivr),
        ]
    except LoginRefused as err:
        mend = f"give ivr.ami the secret of undercap-secret.conf, and permit our address; {README}"
        return [fail(name, f"{where} refuses our user: {err}", mend)]
    except AmiError as err:
        return [fail(name, f"{where}: {err}", f"start Asterisk, or mend ivr.ami; {README}")]
    finally:
        await client.close()
    return [*found, *await _loop(ivr)]


async def _may_hang_up(client: AmiClient, ivr: IvrSettings) -> list[Finding]:
    """The right to end a call that rings, which whoever calls needs. Raises AmiError where that is lost."""
    if not ivr.dial:
        return []
    try:
        await client.ask("Hangup", {"Channel": "undercap-none"})
    except Refused as err:
        if "permission denied" not in str(err).lower():  # there is no such channel
            return [good("Asterisk calls", f"our user may hang up; calls go over {ivr.trunk}")]
    mend = f"write = originate,call in manager.conf, so that a STOP ends what rings; {README}"
    return [fail("Asterisk calls", "our user may not hang up", mend)]


async def _rights(client: AmiClient) -> Finding:
    """Raises AmiError where the connection is lost."""
    name, had = "Asterisk rights", []
    for right, (action, fields) in RIGHTS.items():
        try:
            await client.ask(action, fields)
            had.append(right)
        except Refused as err:
            if "permission denied" not in str(err).lower():
                had.append(right)
    if had:
        return fail(
            name,
            f"our user may also: {', '.join(had)}",
            "write = originate,call and read = call in manager.conf",
        )
    return good(name, "our user may make calls and no more")


async def _loop(ivr: IvrSettings) -> list[Finding]:
    name = "Asterisk call"
    manager = Manager(ivr.ami)
    running = asyncio.create_task(manager.run())
    try:
        async with asyncio.timeout(ivr.ami.connect_timeout_s + ivr.ami.answer_timeout_s):
            await manager.up.wait()
        end, told = await loop_call(manager, ivr.agi_host, str(ivr.sounds_dir.absolute()))
        strays = manager.strays
    except (AmiError, TimeoutError) as err:
        return [fail(name, f"Asterisk makes no call: {err}", f"include extensions.conf; {README}")]
    except OSError as err:
        return [
            fail(name, f"{ivr.agi_host}: {err.strerror}", "ivr.agi_host must be an address of this machine")
        ]
    finally:
        await manager.stop()
        await running
    return list(judge(ivr, end, told, strays))


def judge(ivr: IvrSettings, end: CallEnd, told: Told, strays: int) -> Iterator[Finding]:
    """Pure: what the call has shown. `strays`: events that came and should not have."""
    name = "Asterisk call"
    if strays:
        mend = "take the eventfilter of manager.conf as it is, with its ^: callers can forge events"
        yield fail("Asterisk filter", f"{strays} events came through that we do not read", mend)
    else:
        yield good("Asterisk filter", "only the two events come that we read")
    if not told.reached:
        mend = "ivr.agi_host must be an address that Asterisk reaches; take extensions.conf as it is"
        yield fail(name, f"Asterisk does not reach us at {ivr.agi_host} (the call: {end.result})", mend)
        return
    yield good(name, "from Asterisk to itself, over us")
    yield _version(told.version)
    yield _modules(told.missing_modules)
    yield from _globals(ivr, told.globals)
    yield from _sounds(ivr, told)
    yield from _endings(ivr, end)


def _endings(ivr: IvrSettings, end: CallEnd) -> Iterator[Finding]:
    """Whether it is told who has refused an automatic call."""
    if not ivr.dial:
        return
    name = "Asterisk endings"
    if end.sip is None:
        mend = "take extensions.conf as it is, with [undercap-gone], and load app_stack and func_hangupcause"
        yield warn(name, "a trunk that refuses us cannot be told from a callee who declines", mend)
    else:
        yield good(name, "the dialplan tells how each automatic call has ended")


def _version(version: str) -> Finding:
    name, major = "Asterisk version", version.partition(".")[0]
    if major.isdigit() and int(major) in KNOWN_MAJORS:
        return good(name, version)
    return warn(name, f"{version or 'not told'}", f"tried out with {KNOWN_MAJORS[0]} to {KNOWN_MAJORS[-1]}")


def _modules(missing: list[str]) -> Finding:
    name = "Asterisk modules"
    if not missing:
        return good(name, "all there")
    if "func_module.so" in missing and len(missing) == len(asterisk_files.modules()):
        return warn(name, "cannot be asked", "load func_module.so")
    finding = fail if NEEDED.intersection(missing) else warn
    return finding(name, f"not loaded: {_some(missing)}", "load what modules.conf of ours names")


def _globals(ivr: IvrSettings, told: Mapping[str, str]) -> Iterator[Finding]:
    name = "Asterisk globals"
    wrong = [
        f"{variable} is {told[variable] or 'not set'}, not {wanted}"
        for variable, wanted in (
            ("UNDERCAP_AGI", f"{ivr.agi_host}:{ivr.agi_port}"),
            ("UNDERCAP_SOUNDS", str(ivr.sounds_dir.absolute())),
        )
        if told[variable] != wanted
    ]
    most = told["UNDERCAP_MOST_CALLS"]
    if not most.isdigit() or int(most) > ivr.most_calls:
        wrong.append(f"UNDERCAP_MOST_CALLS is {most or 'not set'}, more than ivr.most_calls")
    if wrong:
        yield fail(name, "; ".join(wrong), "set them in [globals] of extensions.conf, or mend ivr")
    else:
        yield good(name, "say the same as the settings")


def _sounds(ivr: IvrSettings, told: Told) -> Iterator[Finding]:
    name = "Asterisk sounds"
    if told.globals["UNDERCAP_SOUNDS"] != str(ivr.sounds_dir.absolute()):
        return
    if told.missing_sounds:
        mend = f"`undercap prompts make`; Asterisk's user must be able to read {ivr.sounds_dir.absolute()}"
        yield fail(name, f"Asterisk does not find {_some(told.missing_sounds)}", mend)
    else:
        yield good(name, "all prompts of all languages")


def _some(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
