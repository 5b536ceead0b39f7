"""The page's words, and the language that a browser asks for."""

from __future__ import annotations

import string

import pytest

from config.texts import LANGUAGES
from gateway.domain.answers.outcome import Outcome
from gateway.http.shopper import words
from gateway.usecases.codes.activation import CodeAnswer

NOON = 1_780_000_000_000  # 2026-05-28 20:26:40 UTC


def placeholders(text: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_words_with_the_same_gaps(language: str) -> None:
    english, own = words.pages()["en"], words.pages()[language]
    assert {key: placeholders(text) for key, text in own.items()} == {
        key: placeholders(text) for key, text in english.items()
    }
    assert [key for key, text in own.items() if not text.strip()] == []


ACCEPTED: list[tuple[str, str, str]] = [
    ("nothing said", "", "uk"),
    ("one", "ru", "ru"),
    ("with a country", "kk-KZ", "kk"),
    ("the first of ours", "de, en, ru", "en"),
    ("the best liked", "ru;q=0.4, en;q=0.8", "en"),
    ("refused", "en;q=0", "uk"),
    ("in capitals", "EN-gb", "en"),
    ("nonsense", ";;q=x,,=,en;q=much", "uk"),
    ("anything", "*", "uk"),
    ("very long", "xx," * 10_000 + "en", "uk"),
]


@pytest.mark.parametrize(
    ("accepted", "expected"), [case[1:] for case in ACCEPTED], ids=[case[0] for case in ACCEPTED]
)
def test_the_best_liked_language_of_ours_is_chosen(accepted: str, expected: str) -> None:
    assert words.chosen(accepted, "uk") == expected


SENTENCES: list[tuple[str, CodeAnswer, str]] = [
    (
        "ru",
        CodeAnswer(outcome=Outcome.ACTIVATED, points=5, texted=True),
        "Код принят: +5 баллов. Баланс придёт в SMS.",
    ),
    ("ru", CodeAnswer(outcome=Outcome.ACTIVATED, points=2), "Код принят: +2 балла."),
    (
        "en",
        CodeAnswer(outcome=Outcome.ALREADY_YOURS, at=NOON),
        "This code was already credited to you on 28 May 2026.",
    ),
    ("en", CodeAnswer(outcome=Outcome.ALREADY_USED), "This code has already been used."),
    (
        "en",
        CodeAnswer(outcome=Outcome.NOT_STARTED, at=NOON),
        "The promotion starts on 28 May 2026. Please keep your code until then.",
    ),
]


@pytest.mark.parametrize(("language", "answer", "expected"), SENTENCES)
def test_an_outcome_in_words(language: str, answer: CodeAnswer, expected: str) -> None:
    told = words.sentence(answer, language, timezone="Europe/Kyiv", campaign="Summer", limited_until=0)
    assert told == expected


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "outcome",
    [
        Outcome.ACTIVATED,
        Outcome.ALREADY_USED,
        Outcome.ALREADY_YOURS,
        Outcome.INVALID,
        Outcome.NOT_STARTED,
        Outcome.ENDED,
        Outcome.PAUSED,
        Outcome.LIMITED,
    ],
)
def test_there_are_words_for_every_outcome(language: str, outcome: Outcome) -> None:
    answer = CodeAnswer(outcome=outcome, points=10, at=None)
    told = words.sentence(
        answer, language, timezone="Asia/Almaty", campaign="Summer", limited_until=1_780_000_000
    )
    assert (told != "", "{" in told) == (True, False)
