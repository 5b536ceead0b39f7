"""One validated object that tells every process how to run.

Sources, the later one wins: defaults, `undercap.toml` (or the file named by `UNDERCAP_CONFIG`),
environment variables `UNDERCAP_<SECTION>__<KEY>`. Any secret may be given as `<key>_file`, the path of a
file that holds it. All faults are reported together (`SettingsError`). Only entry points read settings.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    IPvAnyNetwork,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic.v1.utils import deep_update
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from config.demo_settings import DemoSettings
from config.every_fault import every_fault
from config.ivr_settings import IvrSettings
from config.link_settings import LinkSettings
from config.section import Host, Port, Section, SettingsError, WebAddress, from_files, read_secret

LEAST_TOKEN = 16
_REDIS_SCHEMES = ("redis://", "rediss://", "unix://")
Language = Literal["uk", "ru", "kk", "en"]


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
    def _urlsfrom_files(self) -> RedisSettings:
        from_files(self, "url", "queue_url")
        for name in ("url", "queue_url"):
            if getattr(self, name) and not getattr(self, name).startswith(_REDIS_SCHEMES):
                raise ValueError(f"{name}: must begin with {' or '.join(_REDIS_SCHEMES)}")
        return self


class SqlSettings(Section):
    """The ledger's database. An empty url means SQLite in the state directory.

    The rest is of connections to PostgreSQL; what the URL says of the same wins. A time of 0: no bound.
    """

    url: str = ""
    url_file: Path | None = None
    connect_timeout_s: Annotated[int, Field(ge=2, le=300)] = 5  # libpq knows whole seconds, from 2
    statement_timeout_s: Annotated[float, Field(ge=0, le=86_400)] = 60.0
    lock_timeout_s: Annotated[float, Field(ge=0, le=86_400)] = 20.0
    # A connection whose other end has vanished: sent and not confirmed, or silent so long.
    tcp_user_timeout_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    keepalive_idle_s: Annotated[int, Field(ge=1, le=7200)] = 5
    keepalive_interval_s: Annotated[int, Field(ge=1, le=7200)] = 2
    keepalive_count: Annotated[int, Field(ge=1, le=100)] = 3
    pool_size: Annotated[int, Field(ge=1, le=100)] = 5  # connections that a process keeps
    pool_overflow: Annotated[int, Field(ge=0, le=100)] = 10  # and more for as long as they are needed
    pool_recycle_s: Annotated[int, Field(ge=1, le=86_400)] = 1800
    # After so many runs a statement is prepared; 0: never, as poolers by transaction need it.
    prepare_threshold: Annotated[int, Field(ge=0, le=1_000_000)] = 5

    @model_validator(mode="after")
    def _url_from_file(self) -> SqlSettings:
        from_files(self, "url")
        if self.url and "://" not in self.url:
            raise ValueError(
                "url: must be an SQLAlchemy URL, such as postgresql+psycopg://user@host/undercap"
            )
        return self


class HttpSettings(Section):
    """The API process."""

    host: Host = "127.0.0.1"
    port: Port = 8080
    public_url: WebAddress = ""  # what QR codes point to; empty: http://host:port
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()  # whose X-Forwarded-For is believed
    operator_token: SecretStr = SecretStr("")  # for /v1/links and more; empty: nobody may ask
    operator_token_file: Path | None = None
    connections: Annotated[int, Field(ge=16, le=100_000)] = 1000  # at once, as far as the system allows
    connections_per_address: Annotated[int, Field(ge=8, le=100_000)] = 200  # of none of trusted_proxies
    inquiries_per_hour: Annotated[int, Field(ge=1, le=100_000)] = 60  # about persons, of a firm

    @model_validator(mode="after")
    def _token_from_file(self) -> HttpSettings:
        if self.operator_token_file is not None:
            object.__setattr__(self, "operator_token", SecretStr(read_secret(self.operator_token_file)))
        token = self.operator_token.get_secret_value()
        if token and len(token) < LEAST_TOKEN:
            raise ValueError(f"operator_token: {LEAST_TOKEN} characters at least")
        return self


class SimulatorSettings(Section):
    """The SMSC of our own with its page of handsets. For trying out; never on a machine with real links."""

    enabled: bool = False
    host: Host = "127.0.0.1"
    http_port: Port = 8081
    smpp_port: Port = 2775
    password: Annotated[SecretStr, Field(max_length=8)] = SecretStr("demo")  # of a gateway that binds


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
    receipts_max_age_d: Annotated[float, Field(gt=0, le=3650)] = 7.0  # from the SMSC's response; then late
    consent_reply_d: Annotated[float, Field(gt=0, le=90)] = 7.0  # in which a yes answers our question
    max_segments: Annotated[int, Field(ge=1, le=255)] = 4  # of a campaign's own text, at worst


class AliasSettings(Section):
    """How long a replaced alias lives on, and how often one may be replaced; what a till may ask of them.

    A till is one API key. A miss is an alias that nobody has though its check digit is right.
    """

    grace_d: Annotated[float, Field(ge=0, le=365)] = 7.0
    new_per_month: Annotated[int, Field(ge=1, le=100)] = 3
    lookups_per_minute: Annotated[int, Field(ge=1, le=100_000)] = 60
    lookups_at_once: Annotated[int, Field(ge=1, le=1000)] = 10
    misses_per_hour: Annotated[int, Field(ge=1, le=10_000)] = 20
    misses_per_day: Annotated[int, Field(ge=1, le=10_000)] = 60


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
    sealing_keys_file: Path | None = None  # default: <state_dir>/sealing.keys, made by the first rotation
    stop_deadline_s: Annotated[float, Field(gt=0)] = 15.0
    clock_offset_s: int = 0  # added to the clock that decides over marketing: for tests and drills only
    redis: RedisSettings = RedisSettings()
    sql: SqlSettings = SqlSettings()
    http: HttpSettings = HttpSettings()
    simulator: SimulatorSettings = SimulatorSettings()
    smpp: SmppSettings = SmppSettings()
    ivr: IvrSettings = IvrSettings()
    demo: DemoSettings = DemoSettings()
    limits: LimitSettings = LimitSettings()
    answers: AnswerSettings = AnswerSettings()
    codes: CodeSettings = CodeSettings()
    aliases: AliasSettings = AliasSettings()
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
            password=self.simulator.password,
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
        faults += every_fault(_without_environment, deep_update(content, EnvSettingsSource(Settings)()), err)
    except (SettingsError, ValueError) as err:
        faults.append(str(err))
    if faults:
        raise SettingsError("\n".join(faults))
    return settings


def _without_environment(content: dict[str, Any]) -> Settings:
    """Settings of this content alone: of no variable does the name begin so."""
    return Settings(**{**content, "_env_prefix": "\0"})


def default_file() -> Path | None:
    """The file that `load` reads: as UNDERCAP_CONFIG says, else ./undercap.toml; None if there is none."""
    named = os.environ.get("UNDERCAP_CONFIG")
    if named:
        return Path(named)
    here = Path("undercap.toml")
    return here if here.exists() else None
