"""The prompts' texts: every language whole, faults named by source and key."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

from config.prompts import CONSENT, NUMBERS, SENTENCES, PromptError, load, parse
from config.texts import LANGUAGES
from gateway.domain.reading.keywords import PHRASES, Intent

RUSSIAN = files("config.prompts").joinpath("ru.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_whole(language: str) -> None:
    assert load(language) is load(language)
    assert set(load(language)) == {*SENTENCES, *NUMBERS}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_word_that_callers_are_told_to_text_is_a_keyword(language: str) -> None:
    words = PHRASES[Intent.ALIAS][language].split("|")
    assert any(word in load(language)["instead"] for word in words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_question_for_consent_names_both_ways_and_the_word_that_refuses(language: str) -> None:
    question = load(language)[CONSENT]
    words = [word for of in ("", language) for word in PHRASES[Intent.STOP][of].split("|")]
    calls = {"uk": "автоматичними дзвінками", "ru": "автоматическими звонками", "kk": "автоматты қоңыраулар"}
    assert "SMS" in question
    assert calls.get(language, "automatic calls") in question
    assert any(re.search(rf"\b{re.escape(word)}\b", question) for word in words)
    assert len(question) <= 500  # as consent_entry keeps it


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(PromptError, match="'de'"):
        load("de")


@pytest.mark.parametrize(
    ("was", "now", "fault"),
    [
        pytest.param('minus = "минус"', "", "numbers.minus: is missing", id="number missing"),
        pytest.param("goodbye = ", "godbye = ", "sentences.goodbye: is missing", id="sentence missing"),
        pytest.param("goodbye = ", "godbye = ", "sentences.godbye: no such prompt", id="no such key"),
        pytest.param('n0 = "ноль"', 'n0 = " "', "numbers.n0: is empty", id="empty"),
        pytest.param('n0 = "ноль"', "n0 = 0", "numbers.n0: is not text", id="not text"),
        pytest.param('n0 = "ноль"', 'n0 = "но\\u0007ль"', "cannot be spoken", id="control character"),
        pytest.param("Ваш псевдоним:", "Ваш псевдоним", "alias_is: must end with a colon", id="no lead"),
        pytest.param("До свидания!", "До свидания:", "goodbye: ends with a colon", id="leads to nothing"),
        pytest.param("[numbers]", "[zahlen]", "zahlen: no such part", id="part"),
        pytest.param("[numbers]", "[zahlen]", "numbers: is missing", id="part missing"),
        pytest.param("[numbers]", "[numbers", "is not TOML", id="not TOML"),
    ],
)
def test_faults_name_source_and_key(was: str, now: str, fault: str) -> None:
    assert was in RUSSIAN
    with pytest.raises(PromptError) as caught:
        parse(RUSSIAN.replace(was, now, 1), source="ru.toml")
    assert any(line.startswith("ru.toml: ") and fault in line for line in str(caught.value).split("\n"))
