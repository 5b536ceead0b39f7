"""The lines of AGI (Asterisk's res_agi.c). Pure: what is not as it should be raises AgiError, never more.

A caller can put line ends into headers that Asterisk passes on raw, so nothing is read leniently: a doubled
or strange line of the environment ends the talk.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ivr.agi.faults import AgiError, Fault, HungUp

MOST_COMMAND: Final = 2000  # octets; Asterisk's buffer holds 2,048 (AGI_BUF_LEN)
INTERIM: Final = "100"  # "100 result=0 Trying…": the answer is still to come
_ENVIRONMENT = re.compile(r"agi_([a-z0-9_]{1,40}): ?([^\x00-\x1f\x7f]*)")
_RESULT = re.compile(r"200 result=(-?[0-9]{1,10})?(?: \(([^\x00-\x1f\x7f]*)\))?(?: endpos=[0-9]+)?")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,79}")
_VALUE = re.compile(r"[A-Za-z0-9 _.:+-]{0,200}")
_FILE = re.compile(r"/?[A-Za-z0-9_.+-]+(?:/[A-Za-z0-9_.+-]+)*")


@dataclass(frozen=True, slots=True)
class Result:
    """What a command came to. `value`: what stood in parentheses."""

    code: int
    value: str = ""


def environment(lines: Iterable[str]) -> dict[str, str]:
    """The lines before the first command, without their `agi_`. Raises AgiError."""
    told: dict[str, str] = {}
    for line in lines:
        found = _ENVIRONMENT.fullmatch(line)
        if found is None or found[1] in told:
            raise AgiError(Fault.GARBAGE, "a line of the environment is strange, or doubled")
        told[found[1]] = found[2]
    return told


def result(line: str) -> Result:
    """The answer to a command. Raises HungUp, and AgiError when Asterisk refuses or says something else."""
    if line == "HANGUP" or line.startswith("511"):  # 511: not permitted on a dead channel
        raise HungUp
    if line.startswith(("510", "520")):
        raise AgiError(Fault.REFUSED, "Asterisk does not take the command")
    found = _RESULT.fullmatch(line)
    if found is None:
        raise AgiError(Fault.GARBAGE, "an answer is strange")
    return Result(int(found[1] or 0), found[2] or "")


def opens_usage(line: str) -> bool:
    """Whether further lines belong to this answer, up to one for which `ends_usage` is true."""
    return line.startswith("520-")


def ends_usage(line: str) -> bool:
    """See `opens_usage`."""
    return line.startswith("520 ")


def command(*words: str) -> bytes:
    """A line for Asterisk; the last word is quoted. Raises AgiError for what does not fit in one line."""
    *plain, quoted = words
    line = " ".join((*plain, f'"{quoted}"')) + "\n"
    octets = line.encode("ascii")
    if len(octets) > MOST_COMMAND:
        raise AgiError(Fault.UNSAFE, f"a command of {len(octets)} octets")
    return octets


def variable(name: str) -> str:
    """`name`, if it is that of a channel variable. Raises AgiError."""
    return _checked(_VARIABLE, name, "a variable's name")


def function(name: str, *arguments: str) -> str:
    """A function of the dialplan, as `GET VARIABLE` takes it. Raises AgiError."""
    inside = ",".join(_checked(_FILE, argument, "an argument") for argument in arguments)
    return f"{_checked(_VARIABLE, name, 'a function')}({inside})"


def value(given: str) -> str:
    """`given`, if a variable may be set to it. Raises AgiError."""
    return _checked(_VALUE, given, "a variable's value")


def playlists(files: Sequence[str], room: int) -> list[str]:
    """Files as Playback and Read take them, joined by `&`, each list of at most `room` octets.

    Raises AgiError for a name that could be taken for more than one file or argument.
    """
    lists = [""]
    for file in files:
        _checked(_FILE, file, "a file's name")
        longer = f"{lists[-1]}&{file}" if lists[-1] else file
        if len(longer) > room and lists[-1]:
            lists.append(file)
        else:
            lists[-1] = longer
    return lists


def _checked(form: re.Pattern[str], given: str, what: str) -> str:
    if form.fullmatch(given) is None:
        raise AgiError(Fault.UNSAFE, f"{what} with characters that it may not have")
    return given
