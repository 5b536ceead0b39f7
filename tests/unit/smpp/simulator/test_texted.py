"""Which codes were texted: remembered by place, never by code."""

from __future__ import annotations

from pathlib import Path

import pytest

from smpp.simulator.texted import TextedCodes

CODES = ("1234-567-890-123", "CAP7-QX42")


def about(path: Path, codes: tuple[str, ...] = CODES) -> TextedCodes:
    texted = TextedCodes(path)
    texted.use(codes)
    return texted


def holders(texted: TextedCodes) -> list[str]:
    return [texted.holder(place) for place in range(2)]


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        pytest.param("1234-567-890-123", ["Olena", ""], id="as printed"),
        pytest.param("код 1234567890123!", ["Olena", ""], id="in a sentence"),
        pytest.param("cap7 qx42", ["", "Olena"], id="lower case, spaced"),
        pytest.param("1234567890123 CAP7QX42", ["Olena", "Olena"], id="both"),
        pytest.param("1234-567-890", ["", ""], id="cut short"),
    ],
)
def test_finds_codes_in_a_text(tmp_path: Path, text: str, marked: list[str]) -> None:
    texted = about(tmp_path / "texted.json")
    assert texted.mark(text, "Olena") == any(marked)
    assert holders(texted) == marked


def test_the_first_one_keeps_it(tmp_path: Path) -> None:
    texted = about(tmp_path / "texted.json")
    texted.mark(CODES[0], "Olena")
    assert not texted.mark(CODES[0], "Grace")
    assert holders(texted) == ["Olena", ""]


def test_is_remembered_without_naming_a_code(tmp_path: Path) -> None:
    path = tmp_path / "texted.json"
    about(path).mark(CODES[1], "Dmitry")
    written = path.read_text(encoding="utf-8")
    assert holders(about(path)) == ["", "Dmitry"]
    assert "QX42" not in written


def test_another_list_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "texted.json"
    about(path).mark(CODES[1], "Dmitry")
    assert holders(about(path, ("5", CODES[1]))) == ["", ""]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"list": 1, "texted": 5}', "nonsense"])
def test_a_file_that_cannot_be_used_counts_as_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "texted.json"
    path.write_text(content, encoding="utf-8")
    assert holders(about(path)) == ["", ""]


def test_a_disk_that_takes_nothing_costs_only_the_memory(tmp_path: Path) -> None:
    texted = about(tmp_path / "no such directory" / "texted.json")
    assert texted.mark(CODES[0], "Olena")
    assert holders(texted) == ["Olena", ""]
