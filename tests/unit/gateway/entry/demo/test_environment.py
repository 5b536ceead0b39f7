"""Commands beside a demo know what it runs with."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from config import settings as settings_module
from gateway.entry.demo import environment

LINK = '[[smpp.links]]\nname = "operator"\nhost = "smsc.example.net"\nport = 2775\nsystem_id = "us"\n'


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("UNDERCAP_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def demo(monkeypatch: pytest.MonkeyPatch, **told: str) -> None:
    """A demo has started here, in an environment of its own."""
    with monkeypatch.context() as there:
        there.setenv("UNDERCAP_SIMULATOR__ENABLED", "true")
        for name, value in told.items():
            there.setenv(name, value)
        environment.keep(settings_module.load())


def test_a_command_beside_it_knows_its_link_and_voice(monkeypatch: pytest.MonkeyPatch) -> None:
    demo(monkeypatch, UNDERCAP_IVR__ESPEAK="espeak --path=/there", UNDERCAP_HTTP__PORT="8090")
    alone = settings_module.load()
    assert alone.links == ()
    joined = environment.joined(alone)
    assert [link.name for link in joined.links] == ["simulator"]
    assert (joined.ivr.espeak, joined.http.port) == ("espeak --path=/there", 8090)
    assert settings_module.load() == alone  # nothing is left in the environment


def test_its_own_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    demo(monkeypatch, UNDERCAP_HTTP__PORT="8090")
    monkeypatch.setenv("UNDERCAP_HTTP__PORT", "8091")
    assert environment.joined(settings_module.load()).http.port == 8091


def test_links_to_operators_are_never_joined_by_a_simulator(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    demo(monkeypatch)
    (tmp_path / "undercap.toml").write_text(LINK)
    assert [link.name for link in environment.joined(settings_module.load()).links] == ["operator"]


def test_what_is_no_demo_any_more_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    demo(monkeypatch)
    settings = settings_module.load()
    environment.forget(settings)
    environment.forget(settings)
    assert environment.joined(settings) is settings


def test_a_broken_file_is_no_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo(monkeypatch)
    (file,) = (tmp_path / "var").glob("demo-*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("{", encoding="ascii")
    settings = settings_module.load()
    assert environment.joined(settings) is settings
