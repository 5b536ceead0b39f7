"""One validated object that tells every process how to run.

Sources, the later one wins: defaults, `undercap.toml` (or the file named by `UNDERCAP_CONFIG`),
environment variables `UNDERCAP_<SECTION>__<KEY>`. Any secret may be given as `<key>_file`, the path of a
file that holds it. All faults are reported together (`SettingsError`). Only entry points read settings.
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from config import tls
from config.statuses import FINAL, Refusal, table

LEAST_TOKEN = 16
Port = Annotated[int, Field(ge=0, le=65535)]
Octet = Annotated[int, Field(ge=0, le=255)]
BindCount = Annotated[int, Field(ge=0, le=64)]
Bind = Literal["transceiver", "receiver", "transmitter"]
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
Language = Literal["uk", "ru", "kk", "en"]
DataCoding = Annotated[
    int,
    BeforeValidator(lambda key: int(key, 0) if isinstance(key, str) else key),  # 0xF1 in TOML and JSON
    Field(ge=0, le=255),
]
Alphabet = Literal["gsm7", "latin1", "ascii", "iso8859-5", "iso8859-8", "ucs2", "utf8", "binary"]


class SettingsError(Exception):
    """The settings cannot be used; the message lists every fault, one a line."""


class Section(BaseModel):
    """A part of the settings; unknown keys are faults, so that a misspelt one is noticed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


_S = TypeVar("_S", bound=Section)


def _from_files(section: _S, *names: str) -> _S:
    """Fill each setting whose `<name>_file` is given."""
    for name in names:
        file = getattr(section, f"{name}_file")
        if file is not None:
            object.__setattr__(section, name, _read_secret(file))
    return section


def _read_secret(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as err:
        raise ValueError(f"{path}: cannot be read: {err.strerror}") from err


class RedisSettings(Section):
    """Where claims, limits, consent and queues live. An empty url means the embedded Valkey."""

    url: str = ""
    url_file: Path | None = None
    queue_url: str = ""  # RQ's own server; empty: the same one
    queue_url_file: Path | None = None
    durability: Literal["always", "waitaof"] = "always"
    waitaof_replicas: Annotated[int, Field(ge=0, le=5)] = 0  # replicas that must confirm, too
    # Where CONFIG is forbidden: who assures, in writing, AOF with fsync always and no eviction.
    durability_assured_by: str = ""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    embedded_maxmemory: Annotated[str, Field(pattern=r"(?i)^\d+([kmg]b?)?$")] = "0"

    @model_validator(mode="after")
    def _urls_from_files(self) -> RedisSettings:
        _from_files(self, "url", "queue_url")
        for name in ("url", "queue_url"):
            if getattr(self, name) and not getattr(self, name).startswith(_REDIS_SCHEMES):
                raise ValueError(f"{name}: must begin with {' or '.join(_REDIS_SCHEMES)}")
        return self


class SqlSettings(Section):
    """The ledger's database. An empty url means SQLite in the state directory."""

    url: str = ""
    url_file: Path | None = None

    @model_validator(mode="after")
    def _url_from_file(self) -> SqlSettings:
        _from_files(self, "url")
        if self.url and "://" not in self.url:
            raise ValueError(
                "url: must be an SQLAlchemy URL, such as postgresql+psycopg://user@host/undercap"
            )
        return self


class HttpSettings(Section):
    """The API process."""

    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = ""  # what QR codes point to; empty: http://host:port
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()  # whose X-Forwarded-For is believed
    operator_token: SecretStr = SecretStr("")  # for /v1/links and more; empty: nobody may ask
    operator_token_file: Path | None = None

    @model_validator(mode="after")
    def _token_from_file(self) -> HttpSettings:
        if self.operator_token_file is not None:
            object.__setattr__(self, "operator_token", SecretStr(_read_secret(self.operator_token_file)))
        token = self.operator_token.get_secret_value()
        if token and len(token) < LEAST_TOKEN:
            raise ValueError(f"operator_token: {LEAST_TOKEN} characters at least")
        return self


class SimulatorSettings(Section):
    """The SMSC of our own with its page of handsets. For trying out; never on a machine with real links."""

    enabled: bool = False
    host: str = "127.0.0.1"
    http_port: Port = 8081
    smpp_port: Port = 2775


class LinkSettings(Section):
    """One SMSC and the binds to it."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    host: str
    port: Port = 2775
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
    throttle_wait_s: Annotated[float, Field(gt=0)] = 1.0
    source_ton: Octet = 3  # TON/NPI of our short number as the operator wants it
    source_npi: Octet = 0
    dest_ton: Octet = 1  # TON/NPI of a shopper's number: international, E.164
    dest_npi: Octet = 1
    default_region: str = ""  # ISO 3166 country of senders that come in national form
    default_alphabet: Literal["gsm7", "latin1", "ascii"] = "gsm7"  # what data_coding 0 means here
    data_codings: dict[DataCoding, Alphabet] = {}  # other meanings of data_coding on this link
    replace_look_alikes: bool = True  # “ ” – … by " - ... where that saves a segment
    receipts: bool = True  # ask for a delivery receipt of each answer
    receipt_ids: Literal["raw", "learn", "case", "zeros", "decimal", "hexadecimal"] = "learn"
    validity_s: Annotated[int, Field(ge=0, le=99 * 30 * 86_400)] = 0  # 0: the SMSC's own time
    fallbacks: tuple[str, ...] = ()  # links that take over the texts of this one while it is gone, in order
    failover_after_s: Annotated[float, Field(ge=0)] = 30.0
    trace: bool = False  # tell every PDU in the log, numbers masked
    account: str = ""  # links with one account at the operator share its segments_per_s
    statuses: dict[str, Refusal] = {}  # "0x14" -> as in config/statuses.toml, over it

    def refusal(self, status: int) -> Refusal:
        """What a submit's command_status, not 0, means for the text."""
        return self._statuses.get(status, FINAL)

    @cached_property
    def _statuses(self) -> dict[int, Refusal]:
        return {**table(), **{int(status, 0): refusal for status, refusal in self.statuses.items()}}

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
            object.__setattr__(self, "password", SecretStr(_read_secret(self.password_file)))
        if len(self.password.get_secret_value()) > 8:
            raise ValueError("password: SMPP 3.4 allows eight characters at most")
        return self

    @field_validator("host")
    @classmethod
    def _host_without_brackets(cls, host: str) -> str:
        """An IPv6 address may be written as in a URL."""
        return host[1:-1] if host.startswith("[") and host.endswith("]") else host

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
        if self.data_codings.get(8, "ucs2") == "ucs2":
            return 8
        return min((coding for coding, means in self.data_codings.items() if means == "ucs2"), default=None)


class SmppSettings(Section):
    """The links to mobile operators."""

    links: tuple[LinkSettings, ...] = ()
    reassembly_timeout_s: Annotated[float, Field(gt=0)] = 1800.0

    @model_validator(mode="after")
    def _names_differ(self) -> SmppSettings:
        names = [link.name for link in self.links]
        if len(set(names)) != len(names):
            raise ValueError("links: two links have the same name")
        for link in self.links:
            strange = [name for name in link.fallbacks if name not in names or name == link.name]
            if strange:
                raise ValueError(f"links: {link.name}: fallbacks names {', '.join(strange)}: no other link")
        return self


class LimitSettings(Section):
    """What one shopper may do. Over a limit nothing is looked up and nothing is claimed."""

    messages_per_minute: Annotated[int, Field(ge=1, le=10_000)] = 10
    wrong_codes_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 10
    wrong_codes_per_day: Annotated[int, Field(ge=1, le=10_000)] = 30
    codes_per_message: Annotated[int, Field(ge=1, le=100)] = 20


class AnswerSettings(Section):
    """What is answered, and when silence is kept."""

    redelivery_window_s: Annotated[int, Field(ge=1)] = 600
    replies_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 20
    hints_per_day: Annotated[int, Field(ge=0, le=10_000)] = 1
    unsent_max_age_h: Annotated[float, Field(gt=0)] = 72.0
    max_segments: Annotated[int, Field(ge=1, le=255)] = 4  # of a campaign's own text, at worst


class CodeSettings(Section):
    """Guessing odds of a whole code space: a guess hits with at most one in `odds`."""

    odds: Annotated[int, Field(ge=1_000_000)] = 10_000_000


class WebSettings(Section):
    """Activation by web page: how often a PIN may be asked for, and how long it lives."""

    pin_ttl_s: Annotated[int, Field(ge=60, le=3600)] = 600
    pins_per_number_hour: Annotated[int, Field(ge=1)] = 3
    pins_per_address_hour: Annotated[int, Field(ge=1)] = 10
    pins_per_hour: Annotated[int, Field(ge=1)] = 1000
    pin_attempts: Annotated[int, Field(ge=1, le=10)] = 5


class LogSettings(Section):
    """structlog's output."""

    format: Literal["console", "json"] = "console"
    level: Literal["debug", "info", "warning", "error"] = "info"


class Settings(BaseSettings):
    """Everything that a process is told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="UNDERCAP_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
    )

    state_dir: Path = Path("var")
    master_secret: SecretStr | None = None
    master_secret_file: Path | None = None  # default: <state_dir>/master.secret, made on first run
    stop_deadline_s: Annotated[float, Field(gt=0)] = 15.0
    redis: RedisSettings = RedisSettings()
    sql: SqlSettings = SqlSettings()
    http: HttpSettings = HttpSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    smpp: SmppSettings = SmppSettings()
    limits: LimitSettings = LimitSettings()
    answers: AnswerSettings = AnswerSettings()
    codes: CodeSettings = CodeSettings()
    web: WebSettings = WebSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content arrives as init arguments."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings

    @property
    def sql_url(self) -> str:
        """SQLAlchemy URL of the ledger's database."""
        return self.sql.url or f"sqlite:///{(self.state_dir / 'undercap.db').resolve()}"

    @model_validator(mode="after")
    def _no_simulator_beside_operators(self) -> Settings:
        if self.simulator.enabled and self.smpp.links:
            raise ValueError(
                "simulator.enabled: never beside [[smpp.links]], since whoever reaches its page could redeem "
                "codes as anybody; switch off one of the two"
            )
        return self

    @property
    def links(self) -> tuple[LinkSettings, ...]:
        """The links to run: those of the settings, or the simulator's where it is enabled."""
        if not self.simulator.enabled:
            return self.smpp.links
        simulator = LinkSettings(
            name="simulator",
            host=self.simulator.host,
            port=self.simulator.smpp_port,
            system_id="undercap",
            password=SecretStr("demo"),
            enquire_link_s=10.0,
            reconnect_max_s=2.0,
        )
        return (simulator,)


def load(path: Path | None = None) -> Settings:
    """Read and validate the settings.

    `path`: the TOML file; None takes `UNDERCAP_CONFIG`, else `./undercap.toml` if there is one.
    Raises SettingsError with every fault that was found.
    """
    file = path or default_file()
    content: dict[str, Any] = {}
    if file is not None:
        try:
            content = tomllib.loads(file.read_text(encoding="utf-8"))
        except OSError as err:
            raise SettingsError(f"{file}: cannot be read: {err.strerror}") from err
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
            raise SettingsError(f"{file}: is not TOML: {err}") from err
    known = {name.lower() for name in Settings.model_fields}
    strange = sorted(
        name
        for name in os.environ
        if name.startswith("UNDERCAP_")
        and name != "UNDERCAP_CONFIG"
        and name.removeprefix("UNDERCAP_").split("__")[0].lower() not in known
    )
    faults = [f"{name}: no such setting (environment)" for name in strange]
    try:
        settings = Settings(**content)
    except ValidationError as err:
        faults += [f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in err.errors()]
    except (SettingsError, ValueError) as err:
        faults.append(str(err))
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def default_file() -> Path | None:
    """The file that `load` reads: as UNDERCAP_CONFIG says, else ./undercap.toml; None if there is none."""
    named = os.environ.get("UNDERCAP_CONFIG")
    if named:
        return Path(named)
    here = Path("undercap.toml")
    return here if here.exists() else None
