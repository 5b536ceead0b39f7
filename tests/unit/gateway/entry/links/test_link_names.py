"""The names of links that a process follows while the settings change beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import settings as settings_module
from gateway.entry.links.names import LinkNames

LINK = '[[smpp.links]]\nname = "{}"\nhost = "x"\nsystem_id = "x"\n'


def test_names_are_added_and_none_is_forgotten(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    monkeypatch.setenv("UNDERCAP_CONFIG", str(file))
    file.write_text(LINK.format("one"))
    names = LinkNames(settings_module.load())
    assert list(names()) == ["one"]
    file.write_text(LINK.format("one") + LINK.format("second"))
    assert list(names()) == ["one", "second"]
    file.write_text(LINK.format("third-one"))
    assert list(names()) == ["one", "second", "third-one"]
    file.write_text("[[smpp.links]]\nname = 3\n")
    assert list(names()) == ["one", "second", "third-one"]
    file.unlink()
    assert list(names()) == ["one", "second", "third-one"]
