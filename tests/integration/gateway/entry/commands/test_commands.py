"""The operator's commands as typed, on SQLite and a real Valkey: what they do and what they refuse."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from gateway.store.codes.claims import Verdict
from gateway.store.firms.api_keys import ApiKeys
from gateway.store.redis import keys
from gateway.store.redis.suspects import NONE, Suspects
from gateway.store.texts.outbox import Outbox
from tests.integration.conftest import Undercap
from tests.integration.house import ANNA, SHORT, House


@pytest.fixture
def campaign(undercap: Undercap) -> str:
    """The id of a running campaign of the firm acme."""
    undercap("firm", "add", "acme", "--name", "Acme")
    return add_campaign(undercap)


def add_campaign(undercap: Undercap, *more: str, firm: str = "acme") -> str:
    words = ("campaign", "add", "--firm", firm, "--name", "Summer", "--short-number", SHORT, "--points", "10")
    return undercap(*words, "--language", "en", *more).output.strip()


def rows_of(file: Path) -> list[tuple[int, str]]:
    with file.open(newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header == ["serial", "code"]
    return [(int(serial), code) for serial, code in rows]


async def test_from_nothing_to_a_credit(house: House, undercap: Undercap, campaign: str) -> None:
    undercap("codes", "generate", "--campaign", campaign, "--count", "5", "--out", "caps.csv")
    file = house.state / "caps.csv"
    codes = rows_of(file)

    assert [serial for serial, _ in codes] == [0, 1, 2, 3, 4]
    assert file.stat().st_mode & 0o777 == 0o600
    assert await house.text(codes[3][1]) == Verdict(kind="A", codes=("C1",))
    house.drain()
    assert house.balance(ANNA) == 10
    assert "not used" in undercap("codes", "check", codes[0][1], "--short-number", SHORT).output
    told = undercap("codes", "check", codes[3][1], "--short-number", SHORT).output
    assert "10 points" in told
    assert "serial 3" in told
    assert ANNA not in told


async def test_check_between_claim_and_settlement(house: House, undercap: Undercap, campaign: str) -> None:
    (code,) = house.codes(int(campaign), 1)
    await house.text(code)

    assert "claimed, not settled yet" in undercap("codes", "check", code, "--short-number", SHORT).output


@pytest.mark.parametrize(
    ("code", "number", "told"),
    [
        ("9000000000001", SHORT, "never issued"),
        ("hello", SHORT, "never issued"),
        ("1", "999", "no campaign uses"),
    ],
)
def test_check_what_is_no_code(
    house: House, undercap: Undercap, campaign: str, code: str, number: str, told: str
) -> None:
    house.codes(int(campaign), 1)

    assert told in undercap("codes", "check", code, "--short-number", number, fails=1).output


def test_file_is_not_overwritten_and_nothing_is_issued(
    house: House, undercap: Undercap, campaign: str
) -> None:
    (house.state / "caps.csv").write_text("mine")
    generate = ("codes", "generate", "--campaign", campaign, "--count", "5", "--out")

    assert "exists already" in undercap(*generate, "caps.csv", fails=1).output
    assert "No such file or directory" in undercap(*generate, "no/such/caps.csv", fails=1).output

    assert (house.state / "caps.csv").read_text() == "mine"
    assert house.rows("code_series", "id") == []


def test_refused_series_leaves_no_file(house: House, undercap: Undercap, campaign: str) -> None:
    generate = ("codes", "generate", "--campaign", campaign, "--out", "caps.csv", "--count")

    told = undercap(*generate, "1000001", "--length", "13", fails=1).output

    assert "take at least 14" in told
    assert not (house.state / "caps.csv").exists()
    undercap(*generate, "3")
    assert len(rows_of(house.state / "caps.csv")) == 3


def test_again_makes_the_same_codes(house: House, undercap: Undercap, campaign: str) -> None:
    undercap(
        "codes",
        "generate",
        "--campaign",
        campaign,
        "--count",
        "30",
        "--alphabet",
        "letters",
        "--out",
        "a.csv",
    )
    undercap("codes", "again", "1", "--out", "b.csv")

    assert rows_of(house.state / "a.csv") == rows_of(house.state / "b.csv")
    assert "exists already" in undercap("codes", "again", "1", "--out", "b.csv", fails=1).output
    assert "no code series 9" in undercap("codes", "again", "9", fails=1).output


async def test_print_batches_are_voided_apart(house: House, undercap: Undercap, campaign: str) -> None:
    done = undercap(
        "codes", "generate", "--campaign", campaign, "--count", "25", "--batch-size", "10", "--out", "c"
    )
    codes = [code for _, code in rows_of(house.state / "c")]

    assert "print batches 1 to 3" in done.output
    assert house.rows("print_batch", "first_serial", "size") == [(0, 10), (10, 10), (20, 5)]
    undercap("codes", "void", "2", "--yes")
    letters = [(await house.text(codes[at], f"38067000000{at % 10}")).codes for at in (9, 10, 19, 20)]
    assert letters == [("C1",), ("V",), ("V",), ("C1",)]
    assert "voided" in undercap("codes", "check", codes[11], "--short-number", SHORT).output
    assert "no print batch 9" in undercap("codes", "void", "9", "--yes", fails=1).output


async def test_dead_letters_listed_and_replayed(house: House, undercap: Undercap, campaign: str) -> None:
    (code,) = house.codes(int(campaign), 1)
    await house.text(code)
    outbox = Outbox(house.redis, 1)
    ((id_, _),) = outbox.look(1)[0]
    outbox.suspects.failed(id_, "KeyError", NONE, others_pass=True)

    listed = undercap("dead", "list").output
    assert "KeyError" in listed
    assert "acme" in listed
    assert ANNA not in listed
    assert "1 put back" in undercap("dead", "replay").output
    assert "0 put back" in undercap("dead", "replay").output
    house.drain()
    assert house.balance(ANNA) == 10


async def test_outcomes_and_receipts_laid_aside_are_shown_and_replayed(
    house: House, undercap: Undercap, campaign: str
) -> None:
    (code,) = house.codes(int(campaign), 1)
    await house.text(code)
    outbox = Outbox(house.redis, 1)
    ((text_id, _),) = outbox.look(1)[0]
    outbox.suspects.failed(text_id, "KeyError", NONE, others_pass=True)
    ids = {}
    for kind, spool, fields in (
        ("outcome", keys.results_spool(1), {"j": "0a.1|failed|1|0x45|1700000000000|peer|x[/red]\0y"}),
        ("receipt", keys.receipts_spool("gone"), {"r": f"failed|UNDELIV 1|1700000000000|{ANNA}|id\x1b[31m7"}),
    ):
        id_: Any = house.redis.xadd(spool.stream, dict[Any, Any](fields))
        Suspects(house.redis, spool).failed(id_, "DataError 22001", NONE, others_pass=True)
        rows: Any = house.redis.xrange(spool.aside)
        ids[kind] = rows[0][0].decode()

    listed = undercap("dead", "list").output
    assert [listed.count(word) for word in ("acme", "gone", "DataError 22001", "KeyError")] == [2, 1, 2, 1]
    shown = undercap("dead", "show", ids["outcome"]).output
    assert all(word in shown for word in ("outcome of acme: DataError 22001", "0a.1", "failed 0x45"))
    shown = undercap("dead", "show", ids["receipt"]).output
    assert "receipt of gone" in shown
    assert not {ANNA, "\x1b"} & set(shown.split())
    assert "\x1b" not in shown
    assert "see `undercap dead list`" in undercap("dead", "show", "1-1", fails=1).output

    assert "1 put back" in undercap("dead", "replay", "--kind", "receipt").output
    assert "1 put back" in undercap("dead", "replay", ids["outcome"]).output
    assert house.redis.xlen(keys.results(1)) == house.redis.xlen(keys.receipts("gone")) == 1
    assert "1 put back" in undercap("dead", "replay").output


REFUSED = [
    pytest.param(("firm", "add", "acme", "--name", "Again"), "exists already", id="slug taken"),
    pytest.param(("firm", "add", "Big Firm", "--name", "x"), "slug", id="slug with a space"),
    pytest.param(("firm", "add", "x" * 33, "--name", "x"), "slug", id="slug too long"),
    pytest.param(("firm", "add", "bolt", "--name", "a\nb"), "control character", id="name of two lines"),
    pytest.param(
        ("firm", "add", "bolt", "--name", "a\x1b[31m"), "control character", id="name with an escape"
    ),
    pytest.param(("firm", "add", "bolt", "--name", " "), "name", id="empty name"),
    pytest.param(("firm", "add", "bolt", "--name", "n" * 101), "name", id="name too long"),
    pytest.param(("firm", "key", "nobody"), "no firm 'nobody'", id="key of an unknown firm"),
    pytest.param(("campaign", "pause", "99"), "no campaign 99", id="pause an unknown campaign"),
    pytest.param(("campaign", "end", "9" * 20), "too large", id="an id that is no 64-bit number"),
    pytest.param(("campaign", "resume", "1"), "is running", id="resume what runs"),
    pytest.param(("campaign", "points", "99", "5"), "no campaign 99", id="points of an unknown campaign"),
    pytest.param(("campaign", "points", "1", "0"), "points must be", id="no points"),
    pytest.param(("campaign", "points", "1", "1000001"), "points must be", id="too many points"),
    pytest.param(
        ("codes", "generate", "--campaign", "99", "--count", "1"), "no campaign 99", id="unknown campaign"
    ),
    pytest.param(("codes", "generate", "--campaign", "1", "--count", "0"), "count must be", id="no codes"),
    pytest.param(
        ("codes", "generate", "--campaign", "1", "--count", "5", "--batch-size", "0"),
        "batch size",
        id="empty batches",
    ),
    pytest.param(
        ("codes", "generate", "--campaign", "1", "--count", "20001", "--batch-size", "2"),
        "batch",
        id="too many batches",
    ),
    pytest.param(
        ("codes", "generate", "--campaign", "1", "--count", "5", "--length", "12"),
        "take at least 13",
        id="short codes",
    ),
]


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_refused_in_one_line(undercap: Undercap, words: tuple[str, ...], told: str) -> None:
    done = undercap(*words, fails=1)

    assert told in done.output
    assert len(done.output.strip().splitlines()) == 1


CAMPAIGNS = [
    pytest.param(("--short-number", "40"), 1, "3 to 15 digits", id="short number too short"),
    pytest.param(("--short-number", "4" * 16), 1, "3 to 15 digits", id="short number too long"),
    pytest.param(("--short-number", "40|40"), 1, "3 to 15 digits", id="short number with a bar"),
    pytest.param(("--short-number", "٤٠٤٠"), 1, "3 to 15 digits", id="digits of another script"),
    pytest.param(("--points", "0"), 1, "points must be", id="no points"),
    pytest.param(("--points", "-5"), 1, "points must be", id="negative points"),
    pytest.param(("--points", "ten"), 2, "not a valid integer", id="points in words"),
    pytest.param(("--name", "Sum\tmer"), 1, "control character", id="name with a tab"),
    pytest.param(("--firm", "nobody"), 1, "no firm 'nobody'", id="unknown firm"),
    pytest.param(("--timezone", "Mars/Base"), 2, "IANA", id="no such time zone"),
    pytest.param(("--starts", "tomorrow"), 2, "is not a date", id="date in words"),
    pytest.param(
        ("--starts", "2026-05-02", "--ends", "2026-05-01"), 1, "ends before it starts", id="reversed"
    ),
    pytest.param(("--language", "fr"), 2, "is not one of", id="no such language"),
]


@pytest.mark.parametrize(("more", "code", "told"), CAMPAIGNS)
def test_campaign_refused(
    house: House, undercap: Undercap, more: tuple[str, ...], code: int, told: str
) -> None:
    undercap("firm", "add", "acme", "--name", "Acme")
    options = {"--firm": "acme", "--name": "Summer", "--points": "10", "--short-number": SHORT}
    options |= dict(zip(more[::2], more[1::2], strict=True))

    done = undercap("campaign", "add", *(word for pair in options.items() for word in pair), fails=code)

    assert told in done.output
    assert house.rows("campaign", "id") == []
    assert house.rows("short_number", "number") == []


@pytest.mark.parametrize(
    ("zone", "first", "past"),
    [
        ("Europe/Kyiv", "2026-11-30T22:00+00:00", "2026-12-31T22:00+00:00"),
        ("America/New_York", "2026-12-01T05:00+00:00", "2027-01-01T05:00+00:00"),
    ],
)
def test_a_campaign_lasts_whole_days_of_its_zone(
    house: House, undercap: Undercap, zone: str, first: str, past: str
) -> None:
    undercap("firm", "add", "acme", "--name", "Acme")
    words = ("--firm", "acme", "--name", "Winter", "--points", "10", "--short-number", SHORT)
    undercap("campaign", "add", *words, "--timezone", zone, "--starts", "2026-12-01", "--ends", "2026-12-31")
    ((starts, ends),) = house.rows("campaign", "starts_at", "ends_at")
    assert [
        datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="minutes") for ms in (starts, ends)
    ] == [
        first,
        past,
    ]
    listed = undercap("campaign", "list").output
    assert all(told in listed for told in ("2026-12-01", "2026-12-31", zone))


LONG_TEXTS = f"""
[uk]
ended = "{{campaign}}: акцію завершено. {"я" * 260}"
[en]
ended = "{{campaign}} is over… {"a" * 590}"
[en.several]
paused = "Paused: {{codes}}. {"b" * 250} ş"
"""


@pytest.fixture
def add_with_texts(undercap: Undercap, tmp_path: Path) -> Undercap:
    """Adds a campaign with this content of its file of texts."""

    def added(content: str, *, fails: int = 0) -> Result:
        (tmp_path / "texts.toml").write_text(content, encoding="utf-8")
        words = ("--firm", "acme", "--name", "Summer", "--short-number", SHORT, "--points", "1")
        return undercap("campaign", "add", *words, "--texts", "texts.toml", fails=fails)

    undercap("firm", "add", "acme", "--name", "Acme")
    return added


def test_texts_over_the_limit_of_segments_are_refused(
    house: House, add_with_texts: Undercap, monkeypatch: pytest.MonkeyPatch
) -> None:
    ukrainian, english = add_with_texts(LONG_TEXTS, fails=1).output.splitlines()

    limit = "takes 5 segments at its longest, 4 at most (answers.max_segments)"
    assert f"texts (uk): ended: {limit}: shorten it. At its longest: Summer: акцію завершено." in ukrainian
    assert f"texts (en): several.activated + several.paused + several.balance: {limit}: shorten" in english
    assert "or do without ş (a segment then holds 153 characters, now 67)" in english
    assert "100 codes" in english
    assert house.rows("campaign", "id") == []
    monkeypatch.setenv("UNDERCAP_ANSWERS__MAX_SEGMENTS", "5")
    add_with_texts(LONG_TEXTS)
    assert len(house.rows("campaign", "id")) == 1


LINK = '[{"name": "old", "host": "smsc.example", "system_id": "us", "replace_look_alikes": REPLACES}]'


@pytest.mark.parametrize(("replaces", "fails"), [("true", 0), ("false", 1)])
def test_texts_are_counted_as_the_links_send_them(
    add_with_texts: Undercap, monkeypatch: pytest.MonkeyPatch, replaces: str, fails: int
) -> None:
    monkeypatch.setenv("UNDERCAP_SMPP__LINKS", LINK.replace("REPLACES", replaces))
    told = add_with_texts(f'[en]\nended = "“Over” {"a" * 300}"', fails=fails).output
    assert ("or do without “ ”" in told) == bool(fails)


def test_texts_without_a_language_are_refused(add_with_texts: Undercap) -> None:
    assert "a language is a table" in add_with_texts('ended = "Over."', fails=1).output


def test_same_short_number_twice_is_one(house: House, undercap: Undercap) -> None:
    undercap("firm", "add", "acme", "--name", "Acme")
    add_campaign(undercap, "--short-number", SHORT, "--short-number", "5050")

    assert house.rows("campaign_short_number", "number") == [(SHORT,), ("5050",)]


@pytest.mark.parametrize(
    ("moment", "starts"),
    [("2090-05-01", 3_797_269_200_000), ("2090-05-01T09:00+03:00", 3_797_301_600_000)],
)
def test_campaign_that_starts_later(house: House, undercap: Undercap, moment: str, starts: int) -> None:
    undercap("firm", "add", "acme", "--name", "Acme")
    add_campaign(undercap, "--starts", moment)

    assert house.rows("campaign", "starts_at", "ends_at") == [(starts, starts + 365 * 86_400_000)]


async def test_state_changes_reach_the_claims(house: House, undercap: Undercap, campaign: str) -> None:
    codes = house.codes(int(campaign), 4)
    letters = []
    for word, code in (("pause", codes[0]), ("resume", codes[1]), ("end", codes[2])):
        undercap("campaign", word, campaign)
        letters.append((await house.text(code)).codes)

    assert letters == [("P",), ("C1",), ("E",)]
    assert "is ended" in undercap("campaign", "resume", campaign, fails=1).output
    assert "is ended" in undercap("campaign", "points", campaign, "5", fails=1).output
    assert "is over" in undercap("codes", "generate", "--campaign", campaign, "--count", "1", fails=1).output


def test_lists(undercap: Undercap, campaign: str) -> None:
    assert "acme" in undercap("firm", "list").output
    assert "Summer" in undercap("campaign", "list").output
    assert campaign in undercap("campaign", "list").output


def test_key_is_shown_once_and_kept_as_a_digest(house: House, undercap: Undercap, campaign: str) -> None:
    del campaign
    key = undercap("firm", "key", "acme").output.strip()

    ((digest,),) = house.rows("api_key", "digest")
    assert key.startswith("uc_")
    assert digest == house.vault.digest(f"api-key|{key}")


async def test_a_revoked_key_is_refused(house: House, undercap: Undercap, campaign: str) -> None:
    del campaign
    key = undercap("firm", "key", "acme").output.strip()
    keys = ApiKeys(house.engine, house.vault)
    assert await keys.find(key) is not None

    undercap("firm", "revoke", "1")

    assert await keys.find(key) is None
    assert "no API key 7" in undercap("firm", "revoke", "7", fails=1).output
    assert "1" in undercap("firm", "keys", "acme").output


def test_redis_away_is_told_in_one_line(
    undercap: Undercap, monkeypatch: pytest.MonkeyPatch, campaign: str
) -> None:
    monkeypatch.setenv("UNDERCAP_REDIS__URL", "unix:///nowhere/s")

    done = undercap("campaign", "pause", campaign, fails=1)

    assert "Redis does not answer" in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_rebuild_refuses_a_foreign_redis(house: House, undercap: Undercap, campaign: str) -> None:
    house.redis.set(keys.DEPLOYMENT, "of somebody else")

    assert "another deployment" in undercap("rebuild", fails=1).output
    assert house.redis.exists(keys.campaigns(1)) == 1
    assert "0 claims" in undercap("rebuild", "--replace-foreign").output
    assert house.redis.get(keys.DEPLOYMENT) == house.deployment.encode()
    assert campaign
