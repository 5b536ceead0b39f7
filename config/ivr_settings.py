"""The free numbers, and the Asterisk behind them, as its administrator set it up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator

from config.section import Command, Host, Port, Region, Section, read_secret

Number = Annotated[str, Field(pattern=r"^[0-9]{2,15}$")]


class AmiSettings(Section):
    """Asterisk's manager interface: the user that config/asterisk/manager.conf describes."""

    host: Host = "127.0.0.1"
    port: Port = 5038
    username: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")] = "undercap"
    secret: SecretStr = SecretStr("")
    secret_file: Path | None = None
    tls: bool = False
    tls_verify: bool = True
    tls_ca_file: Path | None = None  # default: the system's certificate authorities
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None  # default: in the certificate's file
    tls_server_hostname: str = ""  # the name in Asterisk's certificate; empty: host
    connect_timeout_s: Annotated[float, Field(gt=0)] = 5.0
    answer_timeout_s: Annotated[float, Field(gt=0)] = 5.0  # for what Asterisk answers to an action
    ping_s: Annotated[float, Field(gt=0)] = 10.0  # of silence before we ask whether Asterisk still lives
    reconnect_max_s: Annotated[float, Field(gt=0)] = 30.0  # the wait between attempts grows up to this

    @model_validator(mode="after")
    def _secret_from_file(self) -> AmiSettings:
        if self.secret_file is not None:
            object.__setattr__(self, "secret", SecretStr(read_secret(self.secret_file)))
        return self


class FreeNumber(Section):
    """A number that shoppers call. `number`: the extension that Asterisk gives for it.

    What is said by SMS leaves from `short_number`; its codes, limits and host firm are the call's, too.
    """

    number: Number
    short_number: Annotated[str, Field(max_length=20)]


class IvrSettings(Section):
    """The talk with shoppers who call. Asterisk reaches us at agi_host and agi_port (FastAGI).

    FastAGI knows no authentication: `agi_host` must be loopback or a private address that only Asterisk
    reaches.
    """

    enabled: bool = False
    agi_host: Host = "127.0.0.1"
    agi_port: Port = 4573
    ami: AmiSettings = AmiSettings()
    free_numbers: tuple[FreeNumber, ...] = ()
    region: Region = ""  # ISO 3166, of caller numbers in national form
    countries: tuple[Annotated[Region, Field(min_length=2)], ...] = ()  # whose numbers may call; empty: all
    sounds_dir: Path = Path("var/sounds")  # of the prompts, as Asterisk sees it
    # What makes the firms' recordings for offer calls: in the API process, and by command.
    espeak: Command = "espeak-ng"
    sox: Command = "sox"
    most_calls: Annotated[int, Field(ge=1, le=10_000)] = (
        1000  # at once; another hears that all lines are busy
    )
    most_call_s: Annotated[int, Field(ge=10, le=3600)] = 300
    new_callers_per_hour: Annotated[int, Field(ge=1)] = (
        10_000  # whom nobody knows; their numbers may be forged
    )
    key_wait_s: Annotated[float, Field(ge=1, le=30)] = 5.0  # for a key after a prompt
    most_silences: Annotated[int, Field(ge=1, le=5)] = 2  # questions in a row without a key; then a call ends
    dial: bool = False  # call for blasts, over `ami`
    trunk: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{0,40}$")] = ""  # an endpoint of pjsip.conf
    caller_number: Annotated[str, Field(pattern=r"^(\+?[0-9]{3,15})?$")] = ""  # what callees see
    # Of all blasts and dialers together, as the operator's contract has it.
    offer_channels: Annotated[int, Field(ge=1, le=10_000)] = 20
    offer_calls_per_s: Annotated[float, Field(ge=0.01, le=1000)] = 2.0

    @field_validator("free_numbers")
    @classmethod
    def _numbers_differ(cls, given: tuple[FreeNumber, ...]) -> tuple[FreeNumber, ...]:
        if len({free.number for free in given}) != len(given):
            raise ValueError("two free numbers are the same")
        return given

    @model_validator(mode="after")
    def _reachable(self) -> IvrSettings:
        if self.enabled and not self.free_numbers and not self.dial:
            raise ValueError("free_numbers: at least one, or set enabled = false")
        return self

    @model_validator(mode="after")
    def _can_dial(self) -> IvrSettings:
        if self.dial and not (self.enabled and self.trunk):
            raise ValueError("dial: needs enabled = true and a trunk")
        if self.dial and self.offer_channels > self.most_calls:
            raise ValueError("offer_channels: at most most_calls, since each of its calls is one of these")
        return self
