"""The words: every language whole, plurals right, faults named, a campaign's own words checked."""

from __future__ import annotations

from importlib.resources import files

import pytest

from config.texts import LANGUAGES, TextError, load, parse

RUSSIAN = files("config.texts").joinpath("ru.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_loads_once(language: str) -> None:
    assert load(language) is load(language)
    assert load(language).language == language


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(TextError, match="'de'"):
        load("de")


@pytest.mark.parametrize(
    ("language", "number", "words"),
    [
        ("ru", 1, "1 балл"), ("ru", 2, "2 балла"), ("ru", 5, "5 баллов"), ("ru", 11, "11 баллов"),
        ("ru", 21, "21 балл"), ("ru", 112, "112 баллов"), ("ru", 0, "0 баллов"), ("ru", -3, "-3 балла"),
        ("uk", 1, "1 бал"), ("uk", 3, "3 бали"), ("uk", 5, "5 балів"), ("uk", 12, "12 балів"),
        ("uk", 101, "101 бал"),        ("kk", 1, "1 ұпай"), ("kk", 5, "5 ұпай"),
        ("en", 1, "1 point"), ("en", 2, "2 points"), ("en", 0, "0 points"),
    ],
)  # fmt: skip
def test_plurals(language: str, number: int, words: str) -> None:
    assert words == load(language).count("points", number)


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        pytest.param(
            "+{points}. Баланс: {balance}", "+{points}", "activated: {balance} is missing", id="missing"
        ),
        pytest.param("вам {date}.", "вам {data}.", "already_yours: {data} is unknown here", id="misspelt"),
        pytest.param('few = "{n} балла"\n', "", "points.few: is missing", id="plural form missing"),
        pytest.param('few = "{n} балла"', 'few = "балла"', "points.few: {n} is missing", id="number missing"),
        pytest.param(
            'one = "{n} балл"', 'one = "{n} балл"\ntwo = "x {n}"', "points.two: no such plural", id="form"
        ),
        pytest.param("ended = ", "endet = ", "endet: no such text", id="no such key"),
        pytest.param("ended = ", "endet = ", "ended: is missing", id="key missing"),
        pytest.param("засчитан.", "засчитан {", "ended: braces do not match", id="open brace"),
        pytest.param("{balance}.", "{balance:5}.", "activated: a placeholder is a name", id="format"),
        pytest.param(
            "{pin}", "{pin} {campaign}", "web_pin: {campaign} is unknown", id="campaign in a PIN text"
        ),
        pytest.param('time = "%H:%M"', "", "dates.time: is missing", id="date style"),
        pytest.param("[several]", "[several", "is not TOML", id="not TOML"),
    ],
)
def test_faults_name_source_and_key(was: str, now: str, fault: str) -> None:
    assert was in RUSSIAN
    with pytest.raises(TextError) as caught:
        parse("ru", RUSSIAN.replace(was, now, 1), source="ru.toml")
    assert any(line.startswith("ru.toml: ") and fault in line for line in str(caught.value).split("\n"))


def test_all_faults_are_reported_together() -> None:
    with pytest.raises(TextError) as caught:
        parse("en", "", source="en.toml")
    assert len(str(caught.value).split("\n")) > 20


def test_a_campaign_has_words_of_its_own() -> None:
    house = load("ru")
    points = {"one": "{n} звезда", "few": "{n} звезды", "many": "{n} звёзд", "other": "{n} звезды"}
    own = house.override(
        {"ended": "{campaign}: всё!", "several": {"ended": "{codes} - всё"}, "points": points}
    )
    assert own.say("ended", campaign="Лето") == "Лето: всё!"
    assert own.say("several.ended", codes="2 кода", campaign="") == "2 кода - всё"
    assert own.count("points", 5) == "5 звёзд"
    assert own.say("paused", campaign="") == house.say("paused", campaign="")
    assert own.plain is house
    assert own.override({"paused": "Пауза."}).plain is house


@pytest.mark.parametrize(
    ("texts", "fault"),
    [
        pytest.param(
            {"activated": "Ура!"}, "activated: {balance} is missing", id="points and balance are a must"
        ),
        pytest.param({"hello": "Привет"}, "hello: no such text", id="no such key"),
        pytest.param(
            {"several": {"hello": "Привет"}}, "several.hello: no such text", id="no such key in a group"
        ),
        pytest.param({"several.ended": "всё"}, "several.ended: {codes} is missing", id="dotted key"),
        pytest.param(
            {"opt_out": "Зря! Купите колу."}, "opt_out: cannot be changed", id="no marketing in a STOP"
        ),
        pytest.param({"points": {"one": "{n} звезда"}}, "points.few: is missing", id="plural forms"),
        pytest.param({"ended": 5}, "ended: is not text", id="not text"),
        pytest.param({"ended": " "}, "ended: is empty", id="empty"),
        pytest.param({"ended": "{0}"}, "ended: {0} is unknown", id="positional placeholder"),
        pytest.param({"ended": "{campaign.x}"}, "is unknown", id="attribute of a placeholder"),
    ],
)
def test_override_refuses(texts: dict[str, object], fault: str) -> None:
    with pytest.raises(TextError) as caught:
        load("ru").override(texts)
    assert "campaign texts (ru): " in str(caught.value)
    assert fault in str(caught.value)
