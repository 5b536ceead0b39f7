"""Tables of commands: whole at any width, and the same as JSON."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime

import pytest

from gateway.entry.commands import tables
from gateway.entry.commands.tables import Column, Listing
from tests.harness import ROOT

AT = datetime(2026, 12, 1, 3, 50, 12, 345_000, tzinfo=UTC)
ID = "01a22fb570ac32516149c95f.1"
WORDS = "Every bottle counts until the end of the summer, in all shops of the country"


@pytest.fixture
def listing() -> Listing:
    """One row with an id, a time and a long text."""
    found = Listing("texts", "id", tables.moment("came (UTC)", "came_at"), tables.count("points"), "words")
    found.add(id=ID, came_at=AT, points=12_000, words=WORDS, only_in_json=None)
    return found


@pytest.mark.parametrize("columns", [200, 80, 60])
def test_nothing_is_cut(
    columns: int, listing: Listing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    tables.show(listing, as_json=False)
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= columns
    for word in (ID, "2026-12-01", "03:50", "12,000", *WORDS.split()):
        assert word in shown


def test_where_the_words_do_not_fit_side_by_side_rows_stand_apart(
    listing: Listing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    tables.show(listing, as_json=False)
    shown = capsys.readouterr().out
    assert f"id          {ID}\n" in shown
    assert "came (UTC)  2026-12-01 03:50\n" in shown


def test_a_pipe_breaks_no_line(
    listing: Listing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    tables.show(listing, as_json=False)
    assert f"{ID}  2026-12-01 03:50  12,000  {WORDS}" in capsys.readouterr().out


def test_json_has_all_facts_and_times_with_their_zone(
    listing: Listing, capsys: pytest.CaptureFixture[str]
) -> None:
    tables.show(listing, as_json=True, more=False)
    assert json.loads(capsys.readouterr().out) == {
        "more": False,
        "texts": [
            {
                "id": ID,
                "came_at": "2026-12-01T03:50:12.345+00:00",
                "points": 12_000,
                "words": WORDS,
                "only_in_json": None,
            }
        ],
    }


def test_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    found = Listing("firms", Column("name", style=lambda row: "red" if row["name"] else ""))
    found.add(name="[bold]Cola[/bold] [x")
    tables.show(found, as_json=False)
    assert "[bold]Cola[/bold] [x" in capsys.readouterr().out


def test_an_empty_list_is_an_empty_table(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(Listing("firms", "id", "name"), as_json=False)
    assert capsys.readouterr().out.split()[:2] == ["id", "name"]


def test_tables_are_printed_here_alone() -> None:
    """So that each of them has its JSON, and is whole at any width."""
    found = [path.name for path in (ROOT / "gateway").rglob("*.py") if "rich.table" in path.read_text()]
    assert found == ["tables.py"]


def test_whatever_prints_a_table_gives_json() -> None:
    for path in (ROOT / "gateway" / "entry").rglob("*.py"):
        source = path.read_text()
        shown = len(re.findall(r"tables\.show(?:_facts)?\(", source))
        options = source.count("@tables.JSON") + source.count("*, as_json: bool")
        assert options >= shown, path.name
