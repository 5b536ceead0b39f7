"""One SMSC and the binds to it, as agreed with the operator."""

from __future__ import annotations

import ipaddress
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from config import tls
from config.section import HostOrNone, Port, Region, Section, host_and_port, read_secret, split_host
from config.statuses import FINAL, Refusal, table

Octet = Annotated[int, Field(ge=0, le=255)]
BindCount = Annotated[int, Field(ge=0, le=64)]
Bind = Literal["transceiver", "receiver", "transmitter"]
DataCoding = Annotated[
    int,
    BeforeValidator(lambda key: int(key, 0) if isinstance(key, str) else key),  # 0xF1 in TOML and JSON
    Field(ge=0, le=255),
]
Alphabet = Literal[
    "gsm7", "latin1", "ascii", "iso8859-5", "iso8859-8", "ucs2", "utf-16-le", "utf8", "cp1251", "binary"
]

HostAndPort = Annotated[str, AfterValidator(host_and_port)]
_WIDE = ("ucs2", "utf-16-le")


class Address(NamedTuple):
    """Where an SMSC listens."""

    host: str
    port: int

    def __str__(self) -> str:
        """As the settings write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class LinkSettings(Section):
    """One SMSC and the binds to it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    host: HostOrNone = ""
    port: Port = 2775
    hosts: tuple[HostAndPort, ...] = ()  # instead of host: several of one account, tried in turn
    spread: bool = False  # the binds begin at different ones of hosts
    system_id: Annotated[str, Field(max_length=15)]
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    system_type: Annotated[str, Field(max_length=12)] = ""
    bind: Literal["transceiver", "receiver+transmitter"] = "transceiver"
    transceivers: BindCount = 0  # any of the three above 0: so many binds, and `bind` says nothing
    receivers: BindCount = 0
    transmitters: BindCount = 0
    interface_version: Literal[0x33, 0x34, 0x50] = 0x34
    address_range: Annotated[str, Field(max_length=40)] = ""
    address_ton: Octet = 0
    address_npi: Octet = 0
    local_host: str = ""  # the address of ours that connections come from; empty: as routed
    tls: bool = False
    tls_verify: bool = True
    tls_ca_file: Path | None = None  # default: the system's certificate authorities
    tls_certificate_file: Path | None = None
    tls_key_file: Path | None = None  # default: in the certificate's file
    tls_server_hostname: str = ""  # the name in the SMSC's certificate; empty: host
    prefixes: tuple[Annotated[str, Field(pattern=r"^[1-9][0-9]{0,14}$")], ...] = ()
    weight: Annotated[int, Field(ge=1, le=1000)] = 1
    window: Annotated[int, Field(ge=1, le=1000)] = 100  # of each bind
    segments_per_s: Annotated[float, Field(ge=0)] = 0  # 0: no limit
    enquire_link_s: Annotated[float, Field(gt=0)] = 30.0
    enquire_link_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    response_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    bind_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    inactivity_s: Annotated[float, Field(ge=0)] = 0.0  # 0: never
    reconnect_max_s: Annotated[float, Field(gt=0)] = 30.0
    storage_timeout_s: Annotated[float, Field(gt=0)] = 10.0  # then the temporary status is answered
    temporary_status: int = 0x64  # ESME_RX_T_APPN; some SMSCs retry only on 0x8, 0x14 or 0x58
    throttle_wait_s: Annotated[float, Field(ge=0)] = 0.0  # 0: after a refusal only the learned pace holds
    source_ton: Octet = 3  # TON/NPI of our short number as the operator wants it
    source_npi: Octet = 0
    dest_ton: Octet = 1  # TON/NPI of a shopper's number: international, E.164
    dest_npi: Octet = 1
    default_region: Region = ""  # ISO 3166 country of senders that come in national form
    default_alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"  # what data_coding 0 means here
    data_codings: dict[DataCoding, Alphabet] = Field(default={})  # other meanings of data_coding on this link
    replace_look_alikes: bool = True  # “ ” – … by " - ... where that saves a segment
    receipts: bool = True  # ask for a delivery receipt of each answer
    receipt_ids: Literal["raw", "learn", "case", "zeros", "decimal", "hexadecimal"] = "learn"
    validity_s: Annotated[int, Field(ge=0, le=99 * 30 * 86_400)] = 0  # 0: the SMSC's own time
    fallbacks: tuple[str, ...] = ()  # links that take over the texts of this one while it is gone, in order
    failover_after_s: Annotated[float, Field(ge=0)] = 30.0
    trace: bool = False  # tell every PDU in the log, numbers masked
    account: str = ""  # links with one account at the operator share its segments_per_s, and its receipts
    statuses: dict[str, Refusal] = Field(default={})  # "0x14" -> as in config/statuses.toml, over it

    def refusal(self, status: int) -> Refusal:
        """What a submit's command_status, not 0, means for the text."""
        return self._statuses.get(status, FINAL)

    @cached_property
    def _statuses(self) -> dict[int, Refusal]:
        return {**table(), **{int(status, 0): refusal for status, refusal in self.statuses.items()}}

    @cached_property
    def addresses(self) -> tuple[Address, ...]:
        """Where its SMSC can be reached, in the order of trying; at least one."""
        if not self.hosts:
            return (Address(self.host, self.port),)
        parted = [split_host(host) for host in self.hosts]
        return tuple(Address(host, self.port if port is None else port) for host, port in parted)

    @model_validator(mode="after")
    def _hosts_are_said_once(self) -> LinkSettings:
        if bool(self.host) is bool(self.hosts):
            both = "beside hosts: give one or the other"
            raise ValueError(f"host: {both if self.host else 'name it, or several in hosts'}")
        if len(set(self.addresses)) != len(self.addresses):
            raise ValueError("hosts: two are the same")
        if self.spread and len(self.addresses) < 2:
            raise ValueError("spread: of no effect without several hosts")
        return self

    @model_validator(mode="after")
    def _statuses_are_numbers(self) -> LinkSettings:
        for status in self.statuses:
            try:
                int(status, 0)
            except ValueError as err:
                raise ValueError(f'statuses: "{status}" is no command_status, such as "0x14"') from err
        return self

    @model_validator(mode="after")
    def _password_from_file(self) -> LinkSettings:
        if self.password_file is not None:
            object.__setattr__(self, "password", SecretStr(read_secret(self.password_file)))
        if len(self.password.get_secret_value()) > 8:
            raise ValueError("password: SMPP 3.4 allows eight characters at most")
        return self

    @field_validator("local_host")
    @classmethod
    def _local_host_is_an_address(cls, host: str) -> str:
        return str(ipaddress.ip_address(host.strip("[]"))) if host else ""

    @model_validator(mode="after")
    def _binds_are_said_once(self) -> LinkSettings:
        if self.bind != "transceiver" and self._counts:
            raise ValueError(
                f'bind: "{self.bind}" beside transceivers, receivers or transmitters: give one or the other'
            )
        return self

    @model_validator(mode="after")
    def _tls_can_be_used(self) -> LinkSettings:
        if not self.tls:
            fields = LinkSettings.model_fields
            idle = [n for n in fields if n.startswith("tls_") and getattr(self, n) != fields[n].default]
            if idle:
                raise ValueError(f"{', '.join(idle)}: of no effect without tls = true")
            return self
        if not self.tls_verify and (self.tls_ca_file or self.tls_server_hostname):
            raise ValueError(
                "tls_verify: with false neither tls_ca_file nor tls_server_hostname has an effect"
            )
        if self.tls_key_file and not self.tls_certificate_file:
            raise ValueError("tls_key_file: needs tls_certificate_file")
        tls.context(self)
        return self

    @property
    def _counts(self) -> int:
        return self.transceivers + self.receivers + self.transmitters

    @property
    def binds(self) -> tuple[Bind, ...]:
        """Every bind to keep up."""
        if not self._counts:
            return ("receiver", "transmitter") if self.bind != "transceiver" else ("transceiver",)
        wanted: dict[Bind, int] = {
            "receiver": self.receivers,
            "transmitter": self.transmitters,
            "transceiver": self.transceivers,
        }
        return tuple(kind for kind, count in wanted.items() for _ in range(count))

    @model_validator(mode="after")
    def _cyrillic_can_leave(self) -> LinkSettings:
        if self._ucs2_coding() is None:
            raise ValueError("data_codings: 8 has another meaning and no other value means ucs2")
        return self

    @property
    def zero_means(self) -> Alphabet:
        """The alphabet of data_coding 0."""
        return self.data_codings.get(0, self.default_alphabet)

    @property
    def ucs2_coding(self) -> int:
        """The data_coding by which texts in UCS-2 leave: 8 unless the link gives that another meaning."""
        return self._ucs2_coding() or 0

    def _ucs2_coding(self) -> int | None:
        if self.data_codings.get(8, "ucs2") in _WIDE:
            return 8
        return min((coding for coding, means in self.data_codings.items() if means in _WIDE), default=None)

    @property
    def ucs2_little(self) -> bool:
        """Whether these leave with the low octet first."""
        return self.data_codings.get(self.ucs2_coding) == "utf-16-le"
