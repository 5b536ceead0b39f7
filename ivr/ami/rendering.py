"""An action as octets (Asterisk's manager protocol: `Key: value` lines, an empty line at the end); pure.

Asterisk knows no escaping: a line break in a value would begin a header of its own, and two a new action.
So what could be read as something else than a value is refused, never altered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ivr.ami.faults import Unsendable

MOST_LINE: Final = 1000  # octets; Asterisk refuses a line of 1,025
FIELD: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,40}")
VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}")
BREAKING: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # for Asterisk, or for who reads its log
DIVIDING: Final = re.compile(r'[,"\\]')  # a comma in a value would begin another variable


def render(name: str, fields: Mapping[str, str], variables: Mapping[str, str]) -> bytes:
    """The action `name`. Raises Unsendable."""
    lines = [_line("Action", name), *(_line(field, value) for field, value in fields.items())]
    lines += [_variable(variable, value) for variable, value in variables.items()]
    return b"".join(lines) + b"\r\n"


def _variable(variable: str, value: str) -> bytes:
    if not VARIABLE.fullmatch(variable):
        raise Unsendable("a variable's name")
    if DIVIDING.search(value):
        raise Unsendable(variable)
    return _line("Variable", f"{variable}={value}")


def _line(field: str, value: str) -> bytes:
    if not FIELD.fullmatch(field):
        raise Unsendable("a field's name")
    if BREAKING.search(value):
        raise Unsendable(field)
    try:
        line = f"{field}: {value}\r\n".encode()
    except UnicodeEncodeError as err:
        raise Unsendable(field) from err
    if len(line) > MOST_LINE:
        raise Unsendable(field)
    return line
