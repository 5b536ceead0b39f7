"""`undercap consent` as typed: lists are checked whole before anything is written; no number is printed."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.entry.cli import cli
from tests.integration.conftest import Undercap
from tests.integration.gateway.entry.commands.test_commands import campaign
from tests.integration.house import ANNA, BOHDAN, House

__all__ = ["campaign"]

pytestmark = pytest.mark.usefixtures("campaign")
HEAD = "number,channel,state,said_at,proof"
OPTIONS = ("--firm", "acme", "--how", "paper form")


def written(folder: Path, *rows: str) -> str:
    file = folder / "list.csv"
    file.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    return str(file)


def test_a_list_is_imported_once(house: House, undercap: Undercap, tmp_path: Path) -> None:
    file = written(tmp_path, f"+{ANNA},all,withdrawn,2025-01-01,", f"+{BOHDAN},sms,given,2025-01-01,f 1")
    words = ("consent", "import", file, *OPTIONS, "--wording", "Offers?")
    assert undercap(*words).output.startswith("recorded: 1 consents, 1 refusals; known already: 0")
    assert undercap(*words).output.startswith("recorded: 0 consents, 0 refusals; known already: 2")
    assert (house.consent(ANNA), house.consent(BOHDAN)) == ("out", "in")


def test_a_bad_line_is_named_and_holds_up_no_other(house: House, undercap: Undercap, tmp_path: Path) -> None:
    file = written(
        tmp_path,
        f"+{ANNA},all,withdrawn,2025-01-01,",
        "+380631234567,sms,given,2025-01-01,",
        f"+{BOHDAN},post,given,2025-01-01,",
    )
    told = undercap("consent", "import", file, *OPTIONS, "--wording", "x", fails=1).output
    assert "1 consents, 1 refusals" in told
    assert "line 4: channel: sms, call, all" in told
    assert BOHDAN not in told
    assert (house.consent(ANNA), house.consent("380631234567"), house.consent(BOHDAN)) == ("out", "in", "")


def test_consents_wait_for_a_line_that_may_be_a_refusal(
    house: House, undercap: Undercap, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        f"+{ANNA},all,withdrawn,2025-01-01,",
        f"+{BOHDAN},sms,given,2025-01-01,",
        "3.80509876E+11,all,withdrawn,2025-01-01,",
    )
    told = undercap("consent", "import", file, *OPTIONS, "--wording", "x", fails=1).output
    assert "line 4: number: was cut by a spreadsheet" in told
    assert "1 consents wait" in told
    assert (house.consent(ANNA), house.consent(BOHDAN)) == ("out", "")


@pytest.mark.parametrize(
    "cell",
    [
        "380671234567.0",
        "3.80671234567E+11",
        '"380,671,234,567"',
        "\u202d+380671234567\u202c",
        '"=""380671234567"""',
    ],
)
def test_a_number_as_spreadsheets_write_it_is_that_persons(
    house: House, undercap: Undercap, tmp_path: Path, cell: str
) -> None:
    undercap("consent", "import", written(tmp_path, f"{cell},all,withdrawn,2025-01-01,"), *OPTIONS)
    assert house.consent(ANNA) == "out"
    assert house.rows("shopper", "key") == [(house.vault.index(ANNA),)]


def test_consents_need_their_wording(undercap: Undercap, tmp_path: Path) -> None:
    file = written(tmp_path, f"+{ANNA},all,given,2025-01-01,")
    assert "--wording is needed" in undercap("consent", "import", file, *OPTIONS, fails=2).output


SHEET = (
    "sep=;\r\nNumber;Name;Channel;State;Said_at;Proof;\r\n"
    f"{ANNA}.0;Ганна;SMS;Відкликано;02.04.2025;лист 7;\r\n"
    f'"+{BOHDAN}";"Б; Б";call;Given;02.04.2025 10:30;"анкета\r\n""Весна""";\r\n;;;;;;\r\n'
)


@pytest.mark.parametrize("encoding", ["windows-1251", "utf-16", "utf-8-sig"])
def test_a_list_as_a_spreadsheet_saves_it(
    house: House, undercap: Undercap, tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "list.csv"
    file.write_bytes(SHEET.encode(encoding))
    options = (*OPTIONS, "--wording", "Пропозиції?", "--timezone", "Europe/Kyiv")
    told = undercap("consent", "import", str(file), *options).output
    assert "recorded: 1 consents, 1 refusals" in told
    assert ("read as" in told) is (encoding != "utf-8-sig")
    rows = house.rows("consent_entry", "channel", "state", "proof", "said_at")
    now = rows[0][3]
    assert rows == [
        ("sms", "withdrawn", "paper form: лист 7", now),
        ("call", "given", 'paper form: анкета "Весна"', 1_743_579_000_000),
    ]
    assert now > 1_743_579_000_000
    assert "known already: 2" in undercap("consent", "import", str(file), *options).output


def test_a_dry_run_tells_what_an_import_does_and_changes_nothing(
    house: House, undercap: Undercap, tmp_path: Path
) -> None:
    file = written(
        tmp_path,
        f"+{ANNA},all,withdrawn,2025-01-01,",
        f"+{BOHDAN},sms,given,2025-01-01,f 1",
        f"+{BOHDAN},sms,given,2025-01-01,f 1",
        f"+{ANNA},sms,given,2025-01-01,f 2",
        "38067,all,given,2025-01-01,",
    )
    words = ("consent", "import", file, *OPTIONS, "--wording", "Offers?")

    def kept() -> object:
        tables = [house.rows(name, "id") for name in ("shopper", "consent_entry")]
        names = sorted(house.redis.scan_iter())
        return tables, names, house.redis.mget([n for n in names if house.redis.type(n) == b"string"])

    before = kept()
    dry = undercap(*words, "--dry-run", fails=1).output
    assert kept() == before
    assert "nothing is changed" in dry
    assert "1 consents, 1 refusals; known already: 1; consents that a refusal overrules: 1" in dry
    done = undercap(*words, fails=1).output
    assert kept() != before
    assert dry.replace("a dry run, nothing is changed; would be recorded", "recorded") == done
    again = undercap(*words, fails=1).output
    assert undercap(*words, "--dry-run", fails=1).output.endswith(again.removeprefix("recorded"))
    assert not any(number in dry + done for number in (ANNA, BOHDAN))


async def test_a_dry_run_foretells_nothing_of_a_redis_that_lost_what_was_refused(
    house: House, undercap: Undercap, tmp_path: Path
) -> None:
    await house.text("STOP", BOHDAN)
    house.drain()
    file = written(tmp_path, f"+{BOHDAN},sms,given,2025-01-01,f 1")
    house.redis.flushall()
    del undercap
    words = ["consent", "import", file, *OPTIONS, "--wording", "Offers?", "--dry-run"]
    done = await asyncio.to_thread(CliRunner().invoke, cli, words)
    assert done.exit_code == 1
    assert "Redis is empty: run `undercap rebuild` first" in done.output
    assert list(house.redis.scan_iter()) == []


def test_all_faults_are_counted_and_the_first_are_told(undercap: Undercap, tmp_path: Path) -> None:
    file = written(tmp_path, *(f"+{ANNA},all,given,{day}.02.2025," for day in range(30, 60)))
    told = undercap("consent", "import", file, *OPTIONS, fails=1).output
    assert "30 lines were left out" in told
    assert "line 2: said_at: is no date such as" in told
    assert "line 21: " in told
    assert "line 22: " not in told
    assert "and 10 more" in told


def test_a_time_zone_that_there_is_not(undercap: Undercap, tmp_path: Path) -> None:
    file = written(tmp_path, f"+{ANNA},all,withdrawn,2025-01-01,")
    told = undercap("consent", "import", file, *OPTIONS, "--timezone", "Kyiv", fails=2).output
    assert "is no IANA time zone" in told


async def test_show_and_why_ask_for_the_number(house: House, undercap: Undercap) -> None:
    del undercap
    await house.text("STOP")
    house.drain()
    for command, expected in (("show", "withdrawn"), ("why", "made (UTC)")):
        done = CliRunner().invoke(cli, ["consent", command], input=f"+{ANNA}\n")
        assert done.exit_code == 0, done.output
        assert expected in done.output
        assert ANNA not in done.output


async def test_each_look_at_a_person_is_in_the_access_log(
    house: House, undercap: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    await house.text("STOP")
    house.drain()
    undercap("consent", "show", said=f"+{ANNA}\n")
    undercap("consent", "why", said=f"+{ANNA}\n")
    undercap("consent", "show", said=f"+{BOHDAN}\n", fails=1)
    me = pwd.getpwuid(os.getuid()).pw_name
    assert house.rows("person_access", "who", "purpose", "shopper_id") == [
        (me, "data held", 1),
        (me, "why contacted", 1),
        (me, "data held", None),
    ]
    report = undercap("vault", "report", "--purpose", "why contacted").output
    assert me in report


@pytest.mark.parametrize(
    ("regions", "typed", "meant"),
    [
        (["UA"], "067 000 00 01", "380670000001"),
        (["UA", "UA"], "(067) 000-00-01", "380670000001"),
        ([], "+380 67 000 00 01", "380670000001"),
        (["UA", "KZ"], "+380670000001", "380670000001"),
        (["UA", "KZ"], "00380670000001", "380670000001"),
        (["UA", "KZ"], "380670000001", "380670000001"),
        (["UA", "KZ"], "067 000 00 01", None),
        (["UA", ""], "067 000 00 01", None),
    ],
)
async def test_a_national_form_is_read_only_where_it_means_one_person(
    house: House,
    undercap: Undercap,
    monkeypatch: pytest.MonkeyPatch,
    regions: list[str],
    typed: str,
    meant: str | None,
) -> None:
    links = [
        {"name": f"l{n}", "host": "127.0.0.1", "system_id": "x", "default_region": region}
        for n, region in enumerate(regions)
    ]
    monkeypatch.setenv("UNDERCAP_SMPP__LINKS", json.dumps(links))
    if meant is not None:
        await house.text("STOP", meant)
        house.drain()
    for words in (["consent", "show"], ["vault", "erase", "--yes"]):
        told = undercap(*words, said=f"{typed}\n", fails=int(meant is None)).output
        assert ("write it as E.164" in told) is (meant is None)
    assert house.rows("shopper", "number") == ([] if meant is None else [(b"",)])


@pytest.mark.parametrize(
    ("typed", "told"),
    [("12", "the number has too few digits"), (f"+{BOHDAN}", "nothing is kept about this number")],
)
def test_nobody_to_tell_of(undercap: Undercap, typed: str, told: str) -> None:
    del undercap
    done = CliRunner().invoke(cli, ["consent", "show"], input=f"{typed}\n")
    assert done.exit_code == 1
    assert told in done.output
