"""What every part of the settings is: frozen, strict about its keys, and able to read secrets from files."""

from __future__ import annotations

import ipaddress
import re
import shlex
from pathlib import Path
from typing import Annotated, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_LABEL: Final = r"\w(?:[\w-]{0,61}\w)?"
_HOST_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL}){{0,126}}\.?")
_MEANT: Final = {"UK": "GB", "EN": "GB", "KK": "KZ", "CS": "CZ"}  # languages and habits taken for countries


def _words(command: str) -> str:
    if not shlex.split(command):  # raises ValueError where a quote is left open
        raise ValueError("names no program")
    return command


def _host(host: str) -> str:
    """A name or an address; one of IPv6 may be written as in a URL."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return str(ipaddress.ip_address(bare)) if ":" in bare else _name(bare)
    except ValueError as err:
        raise ValueError(f"{host!r} is no host name and no address, such as smsc.example.net") from err


def split_host(text: str) -> tuple[str, int | None]:
    """Host and port of `host`, `host:port`, an IPv6 address or `[address]:port`. Raises ValueError.

    >>> split_host("smsc.example.net:2776"), split_host("[2001:db8::1]:2775"), split_host("2001:db8::1")
    (('smsc.example.net', 2776), ('2001:db8::1', 2775), ('2001:db8::1', None))
    """
    host, colon, port = text.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")) or text.endswith("]"):
        return _host(text), None
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{text!r}: its port is a number from 1 to 65535")
    return _host(host), int(port)


def host_and_port(text: str) -> str:
    """A host with a port, or without, as it was given. Raises ValueError."""
    split_host(text)
    return text


def _name(host: str) -> str:
    if not _HOST_NAME.fullmatch(host):
        raise ValueError("is no host name")
    return host


def _region(region: str) -> str:
    if not region:
        return region
    from phonenumbers import SUPPORTED_REGIONS  # noqa: PLC0415 - most commands read no region

    if region not in SUPPORTED_REGIONS:
        meant = _MEANT.get(region.upper(), "UA")
        raise ValueError(f"{region!r} is no country of ISO 3166 with telephones, such as {meant}")
    return region


def _web_address(url: str) -> str:
    if url:
        parts = urlsplit(url)  # raises ValueError, too
        if parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
            raise ValueError(f"{url!r} is no address of a web server, such as https://caps.example.net")
        _host(parts.hostname or "")
        _ = parts.port
    return url.rstrip("/")


Host = Annotated[str, AfterValidator(_host)]
HostOrNone = Annotated[str, AfterValidator(lambda host: host and _host(host))]
Region = Annotated[str, AfterValidator(_region)]  # ISO 3166, two capital letters; empty where that is allowed
WebAddress = Annotated[str, AfterValidator(_web_address)]  # empty: none is named
Command = Annotated[str, AfterValidator(_words)]  # a program and its first arguments, quoted as for a shell
Port = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(Exception):
    """The settings cannot be used; the message lists every fault, one a line."""


class Section(BaseModel):
    """A part of the settings; unknown keys are faults, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_S = TypeVar("_S", bound=Section)


def from_files(section: _S, *names: str) -> _S:
    """Fill each setting whose `<name>_file` is given."""
    for name in names:
        file = getattr(section, f"{name}_file")
        if file is not None:
            object.__setattr__(section, name, read_secret(file))
    return section


def read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ValueError(f"{path}: cannot be read: {err.strerror}") from err
