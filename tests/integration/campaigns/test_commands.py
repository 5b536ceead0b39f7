"""A marketer's way on the command line, from the audience to the results; what is refused says what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from gateway.domain.offers.offer_call import Outcome
from gateway.entry.cli import cli
from gateway.store.offers import blasts
from gateway.store.offers.blasts import Blast
from gateway.store.people import shoppers
from gateway.store.sql import database, schema
from tests.acceptance.offers import to_noon
from tests.integration.campaigns.calls import Dialling
from tests.integration.campaigns.market import NOON, WORDS, Market

Undercap = Callable[..., str]
FIRM = ("--firm", "acme")


@pytest.fixture
def undercap(market: Market, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Undercap:
    """Types a command; the market's state and Redis are in the environment, and it is noon of a weekday."""
    monkeypatch.setenv("UNDERCAP_STATE_DIR", str(tmp_path))
    monkeypatch.setenv("UNDERCAP_REDIS__URL", market.house.server_url)
    monkeypatch.setenv("UNDERCAP_SQL__URL", market.house.sql_url)
    monkeypatch.setenv("UNDERCAP_CLOCK_OFFSET_S", str(to_noon()))
    secret = tmp_path / "master"
    secret.write_text(bytes(range(32)).hex())
    secret.chmod(0o600)
    monkeypatch.setenv("UNDERCAP_MASTER_SECRET_FILE", str(secret))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)
    config = '[[smpp.links]]\nname = "peer"\nhost = "127.0.0.1"\nsystem_id = "undercap"\n'
    (tmp_path / "undercap.toml").write_text(config)
    (tmp_path / "spring.toml").write_text("\n".join(f"{key} = {json.dumps(w)}" for key, w in WORDS.items()))

    def typed(*words: str, fails: int = 0, types: str = "") -> str:
        done = CliRunner().invoke(cli, list(words), input=types)
        assert fails == done.exit_code, done.output
        return done.output

    return typed


def draft(undercap: Undercap, market: Market, audience: str = "1", **fails: int) -> str:
    """Its id, or what is said."""
    options = ("--audience", audience, "--campaign", str(market.campaign), "--texts", "spring.toml")
    return undercap("blast", "add", *FIRM, "--name", "Spring", *options, **fails).strip()


def found(market: Market, blast: str) -> Blast:
    """As it stands."""
    stands = blasts.find(market.house.engine, int(blast))
    assert stands is not None
    return stands


async def test_from_the_audience_to_the_results(undercap: Undercap, market: Market) -> None:
    numbers = market.shoppers(25)
    said = undercap("audience", "add", *FIRM, "--name", "all").strip()
    assert said in ("audience 1: 20 shoppers", "audience 1: 30 shoppers")
    references = [market.desk.reference(market.firm, id_) for id_ in range(1, 4)]
    (market.house.state / "list.txt").write_text("\n".join([*references, "nobody"]))
    told = undercap("audience", "add", *FIRM, "--name", "few", "--list", "list.txt", "--region", "380")
    assert told.splitlines() == [
        "line 4: is no reference of your firm's: twelve letters and digits, as you were told them",
        "4 references, 3 of them of shoppers whom the firm knows",
        told.splitlines()[-1],
    ]
    assert told.endswith(("fewer than 10 shoppers\n", "10 shoppers\n"))
    heard = undercap("audience", "list", *FIRM) + undercap("audience", "sample", *FIRM, "1")

    blast = draft(undercap, market)
    assert "Вітаємо! 10 балів у Acme. Відмова: СТОП" in undercap("blast", "preview", *FIRM, blast)
    heard += undercap("blast", "test", *FIRM, blast, "--language", "en", types="+380 67 765 43 21\n")
    assert market.house.waiting_answers() == [("380677654321", "Hello! 120 points at Acme. STOP to refuse")]
    flight = undercap("blast", "preflight", *FIRM, blast)
    assert "may_launch" in flight
    assert undercap("blast", "launch", *FIRM, blast).strip() == "running"
    assert undercap("blast", "pause", *FIRM, blast).strip() == "paused"
    assert undercap("blast", "resume", *FIRM, blast).strip() == "running"
    heard += flight + undercap("blast", "list", *FIRM) + undercap("blast", "results", *FIRM, blast)
    assert undercap("blast", "cancel", *FIRM, blast).strip() == "cancelled"
    watched = undercap("blast", "watch", *FIRM, blast)
    assert "cancelled" in watched
    assert [number for number in numbers if number in heard + watched] == []


def test_a_preflight_of_the_whole_audience_is_asked_for(
    undercap: Undercap, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.preflight.preflight.PAGE", 10)
    monkeypatch.setattr("campaigns.lifecycle.lifecycle.LOOKED_AT_LAUNCH", 10)
    market.shoppers(20)
    market.shoppers(20, first=100, consent="out:1")
    undercap("audience", "add", *FIRM, "--name", "all")
    blast = draft(undercap, market)
    some = undercap("blast", "preflight", *FIRM, blast)
    whole = undercap("blast", "preflight", "--whole", *FIRM, blast)
    assert re.search(r"looked_at\W+10\b", some)
    assert re.search(r"now\W+40\b", some)
    assert re.search(r"looked_at\W+40\b", whole)
    assert re.search(r"now\W+20\b", whole)


def test_refusals_say_what_to_do(undercap: Undercap, market: Market) -> None:
    undercap("audience", "add", *FIRM, "--name", "all")
    assert "there is no audience 7: see the list" in draft(undercap, market, "7", fails=1)
    blast = draft(undercap, market)
    said = undercap("blast", "launch", *FIRM, blast, fails=1)
    assert "nobody is in the audience: widen its definition, or upload references" in said
    said = undercap("blast", "preflight", *FIRM, blast, "--json", fails=1)
    assert json.loads(said)["may_launch"] is False
    assert "it can pause only while it is scheduled, running" in undercap(
        "blast", "pause", *FIRM, blast, fails=1
    )
    assert "take another name" in undercap("audience", "add", *FIRM, "--name", "all", fails=1)
    assert "least is above most" in undercap(
        *("audience", "add", *FIRM, "--name", "x", "--points-least", "9", "--points-most", "1"), fails=1
    )


def test_regions_of_shoppers_of_before_are_noted(undercap: Undercap, market: Market) -> None:
    key = market.house.vault.index("77011234567")
    row = shoppers.row(market.house.vault, key=key, number=b"77011234567", language=None, at=NOON)
    with database.writing(market.house.engine) as connection:
        connection.execute(schema.shopper.insert().values({**row, "prefix": None}))
    assert undercap("audience", "prefixes").strip() == "noted for 1 shoppers"
    assert market.house.rows("shopper", "prefix") == [("7701",)]
    assert undercap("audience", "prefixes").strip() == "noted for 0 shoppers"


async def test_a_blast_by_call_and_what_follows_it(
    undercap: Undercap, market: Market, dialling: Dialling, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ENABLED", "true"), ("DIAL", "true"), ("TRUNK", "carrier")):
        monkeypatch.setenv(f"UNDERCAP_IVR__{name}", value)
    market.shoppers(25)
    undercap("audience", "add", *FIRM, "--name", "all")
    intro, offer = dialling.recording("uk", ms=4000), dialling.recording("uk", ms=11_000)
    (market.house.state / "call.toml").write_text(
        f"spoken.uk = {{ intro = {intro}, offer = {offer} }}\nchannels = 4\n"
    )
    usual = ("--campaign", str(market.campaign), "--texts", "spring.toml", "--fallback", "uk")
    calls = undercap(
        *("blast", "add", *FIRM, "--name", "Call", "--audience", "1", "--call", "call.toml", *usual)
    ).strip()
    flight = undercap("blast", "preflight", *FIRM, calls)
    assert re.search(r"calls: expected\W+[3-6]0", flight)
    assert "50% of the calls are answered" in flight
    assert undercap("blast", "launch", *FIRM, calls).strip() == "running"
    texts = undercap("blast", "add", *FIRM, "--name", "Text", "--follows", calls, *usual).strip()
    assert undercap("blast", "launch", *FIRM, texts).strip() == "running"
    assert f"after blast {calls}" in undercap("blast", "list", *FIRM)

    running = found(market, calls)
    market.now = running.launched_at or 0
    market.fan_out(running)
    dialling.end(running, Outcome.BUSY, *range(1, 12))
    dialling.end(running, Outcome.UNKNOWN, 12)
    told = undercap("blast", "results", *FIRM, calls)
    assert re.search(r"by_outcome\W+busy [12]0 ", told)
    assert re.search(r"waiting\W+[12]0 ", told)
    assert market.desk.reference(market.firm, 12) in undercap("blast", "unknown", *FIRM, calls)
    undercap("blast", "cancel", *FIRM, calls)
    assert re.search(r"by outcome\W+busy [12]0 ", undercap("blast", "watch", *FIRM, calls))


def test_a_way_of_calling_that_is_none_is_told_line_by_line(undercap: Undercap, market: Market) -> None:
    undercap("audience", "add", *FIRM, "--name", "all")
    (market.house.state / "call.toml").write_text('channels = 0\non_machine = "shout"\nspoken = {}\n')
    options = ("--audience", "1", "--campaign", str(market.campaign), "--texts", "spring.toml")
    said = undercap("blast", "add", *FIRM, "--name", "x", *options, "--call", "call.toml", fails=1)
    assert "is not as it must be" in said
    faults = [line.split(":")[0].strip() for line in said.splitlines()[1:]]
    assert faults == ["spoken", "channels", "on_machine"]


def test_edited_copied_and_deleted(undercap: Undercap, market: Market, tmp_path: Path) -> None:
    market.shoppers(12)
    undercap("audience", "add", *FIRM, "--name", "everybody")
    blast = draft(undercap, market)
    (tmp_path / "new.toml").write_text('en = "New: {points} at {firm}. {opt_out}"')

    edit = ("blast", "edit", *FIRM, blast, "--revision")
    assert undercap(*edit, "1", "--texts", "new.toml", "--spread-hours", "2").strip() == "2"
    shown = undercap("blast", "show", *FIRM, blast)
    assert all(told in shown for told in ("New: {points}", "7200", "revision"))
    assert "at revision 2" in undercap(*edit, "1", "--name", "X", fails=1)
    assert "say what" in undercap(*edit, "2", fails=2)
    assert undercap(*edit, "2", "--starts", "2098-05-01", "--expires", "2098-05-03").strip() == "3"
    assert found(market, blast).starts_at == int(datetime(2098, 4, 30, 21, tzinfo=UTC).timestamp() * 1000)
    in_days = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    assert undercap(*edit, "3", "--at-launch", "--expires", in_days).strip() == "4"
    other = undercap("blast", "copy", *FIRM, blast, "--name", "Again").strip()
    assert (found(market, other).name, found(market, other).texts) == ("Again", found(market, blast).texts)
    assert "deleted" in undercap("blast", "delete", *FIRM, other, "--yes")
    assert "no blast" in undercap("blast", "show", *FIRM, other, fails=1)
