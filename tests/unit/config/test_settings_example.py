"""The annotated example: it loads, names every setting, and shows the defaults."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import config
from config import settings as settings_module
from config.link_settings import LinkSettings
from config.settings import Settings

EXAMPLE = Path(config.__file__).with_name("undercap.example.toml")
# A key may stand in a comment, where it has no default.
KEY = re.compile(r"^(?:# )?([a-z_]+) = ")
HEADER = re.compile(r"^\[\[?([a-z.]+)\]\]?$")


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UNDERCAP_CONFIG", "UNDERCAP_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)


def named() -> list[str]:
    """Every key of the example with its section."""
    section, found = "", []
    for line in EXAMPLE.read_text(encoding="utf-8").splitlines():
        if header := HEADER.match(line):
            section = header[1] + "."
        elif key := KEY.match(line):
            found.append(section + key[1])
    return found


def settings_of(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every setting with its section."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_of(kind, f"{prefix}{name}.")
        elif name == "links":
            yield from settings_of(LinkSettings, "smpp.links.")
        else:
            yield prefix + name


def test_it_loads() -> None:
    assert settings_module.load(EXAMPLE).smpp.links[0].name == "operator-one"


def test_it_names_every_setting_once() -> None:
    assert sorted(named()) == sorted(settings_of(Settings))


def test_it_shows_the_defaults() -> None:
    content = tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))
    link = content["smpp"].pop("links")[0]
    assert Settings(**content) == Settings()
    needed = {key: link[key] for key in ("name", "host", "system_id")}
    assert LinkSettings(**link) == LinkSettings(**needed)
