"""Two demos on one machine: each has ports and a password of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import settings as settings_module
from config.settings import Settings
from gateway.entry.demo import defaults
from gateway.entry.supervision import up_lock


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory and an environment without settings."""
    for name in [name for name in os.environ if name.startswith("UNDERCAP_")]:
        monkeypatch.delenv(name)
    offered = ("ANSWERS__REDELIVERY_WINDOW_S", "SIMULATOR__PASSWORD")
    for name in (*offered, "HTTP__PORT", "SIMULATOR__HTTP_PORT", "SIMULATOR__SMPP_PORT"):
        monkeypatch.setenv(f"UNDERCAP_{name}", "1")  # so that what is offered goes with the test
        monkeypatch.delenv(f"UNDERCAP_{name}")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which a first demo listens; the next one is free."""
    for _ in range(100):
        with socket.create_server(("127.0.0.1", 0)) as first:
            port: int = first.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port + 1)).close()
            except (OSError, OverflowError):
                continue
            yield port
            return
    raise AssertionError("no two free ports")


def offered(port: int) -> Settings:
    """The settings of a demo whose SMPP port nobody has chosen and another listens on."""
    before = settings_module.load()
    simulator = before.simulator.model_copy(update={"smpp_port": port})
    simulator.model_fields_set.discard("smpp_port")
    defaults.offer(before.model_copy(update={"simulator": simulator}))
    return settings_module.load()


def test_a_taken_port_moves_on(taken: int) -> None:
    found = offered(taken).simulator
    assert taken < found.smpp_port < taken + defaults.MOST_TRIED


def test_a_port_that_was_chosen_stays(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERCAP_HTTP__PORT", str(taken))
    defaults.offer(settings_module.load())
    assert settings_module.load().http.port == taken


def test_what_a_killed_run_still_holds_is_waited_for(taken: int) -> None:
    state = settings_module.load().state_dir
    state.mkdir()
    with up_lock.only_one(state, wait_s=1, tell=lambda _: None):
        offered(taken)
    assert "UNDERCAP_SIMULATOR__SMPP_PORT" not in os.environ


def test_each_demo_binds_to_its_own_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    passwords = set()
    for _ in range(2):
        monkeypatch.delenv("UNDERCAP_SIMULATOR__PASSWORD", raising=False)
        defaults.offer(settings_module.load())
        settings = settings_module.load()
        enabled = settings.simulator.model_copy(update={"enabled": True})
        (link,) = settings.model_copy(update={"simulator": enabled}).links
        assert link.password == settings.simulator.password
        passwords.add(link.password.get_secret_value())
    assert len(passwords) == 2
    assert {len(password) for password in passwords} == {8}


def test_a_repeat_is_soon_no_redelivery_unless_somebody_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults.offer(settings_module.load())
    assert settings_module.load().answers.redelivery_window_s == 10
    monkeypatch.setenv("UNDERCAP_ANSWERS__REDELIVERY_WINDOW_S", "600")
    defaults.offer(settings_module.load())
    assert settings_module.load().answers.redelivery_window_s == 600
