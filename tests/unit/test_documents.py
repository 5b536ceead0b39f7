"""The documents lead somewhere: links, paths and commands that they name are there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import click
import pytest
import yaml

from config.settings import Settings
from gateway.entry.cli import cli
from tests.documents import cli as cli_page
from tests.documents import http as http_page
from tests.documents import settings as settings_page
from tests.documents.hook import _FETCHED

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:UNDERCAP_\S+ )*undercap ([a-z][a-z -]*[a-z])", re.MULTILINE)
ROOM = re.compile(r"`((?:gateway|smpp|ivr|campaigns|config|tests)/[\w/.-]*(?:/|\.\w+))`")
MADE = {"cli.md", "settings.md", "http.md", "openapi.yaml"}  # when the site is built


def name_of(document: Path) -> str:
    return str(document.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    """Within the site `make lint` looks, at anchors as well; this looks at README and its kin, too."""
    targets = [link for link in LINK.findall(document.read_text(encoding="utf-8")) if ":" not in link]
    absent = [
        target
        for target in targets
        if not (document.parent / target).exists() and Path(target).name not in MADE
    ]
    assert absent == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_rooms_and_files_are_there(document: Path) -> None:
    """Folders and modules of the product, as the documents name them."""
    named = (
        set(ROOM.findall(document.read_text(encoding="utf-8"))) if document.name != "CHANGELOG.md" else set()
    )
    assert sorted(room for room in named if not (ROOT / room).exists()) == []


def commands(document: Path) -> Iterator[list[str]]:
    for said in COMMAND.findall(document.read_text(encoding="utf-8")):
        yield said.split()


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if any(commands(d))], ids=name_of)
def test_commands_are_there(document: Path) -> None:
    absent = [" ".join(words) for words in commands(document) if not is_there(words)]
    assert absent == []


def is_there(words: list[str]) -> bool:
    """Whether a row of words begins with a command; what stands behind it are its arguments."""
    command: click.Command | None = cli
    context = click.Context(cli)
    for word in words:
        if not isinstance(command, click.Group):
            return True
        command = command.get_command(context, word)
    return command is not None


def test_every_decision_is_in_the_index_once_and_says_when() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(path.name for path in folder.glob("0*.md"))
    assert sorted(LINK.findall((folder / "index.md").read_text(encoding="utf-8"))) == pages
    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        text = (folder / page).read_text(encoding="utf-8")
        assert re.match(rf"# {page[:4]}: \S.*\n\nDecided \d{{4}}-\d\d-\d\d.* State: \S", text), page


def test_the_reference_names_every_command_and_setting_and_route() -> None:
    commands_told = cli_page.page()
    assert "## undercap doctor" in commands_told
    assert "### undercap codes generate" in commands_told
    assert "## undercap asterisk" not in commands_told  # hidden

    settings_told = settings_page.page()
    assert all(f"`{name}`" in settings_told or f"[{name}]" in settings_told for name in Settings.model_fields)
    assert "| `port` | whole number, 0 to 65 535 | `8080` |" in settings_told
    assert "| `trace` | `true` or `false` | `false` | tell every PDU in the log" in settings_told
    assert "secret" in next(
        line for line in settings_told.splitlines() if line.startswith("| `operator_token` |")
    )

    api = yaml.safe_load(http_page.description())
    told = http_page.page()
    assert [
        p for p, methods in api["paths"].items() for m in methods if f"### `{m.upper()} {p}`" not in told
    ] == []


@pytest.mark.parametrize(
    ("tag", "fetches"),
    [
        ('<script src="https://cdn.example/a.js">', True),
        ("<script src=//cdn.example/a.js>", True),
        ('<link rel="stylesheet" href="https://fonts.example/a.css">', True),
        ('<script src="assets/a.js">', False),
        ('<a href="https://example.net">', False),
    ],
)
def test_a_page_that_fetches_from_elsewhere_is_known(tag: str, fetches: bool) -> None:
    assert bool(_FETCHED.search(tag)) is fetches


def test_constraints_pin_what_is_needed_and_name_no_place() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)] == []
    pinned = {pin.partition("==")[0].lower().replace("_", "-").replace(".", "-") for pin in pins}
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = [*told["dependencies"], *told["optional-dependencies"]["dev"]]
    names = {
        re.split(r"[^A-Za-z0-9._-]", one)[0].lower().replace("_", "-").replace(".", "-") for one in needed
    }
    assert names - pinned == set()
    assert version("undercap") == told["version"]


def test_the_licence_stands_where_it_is_named() -> None:
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").lstrip().startswith("Apache License")
