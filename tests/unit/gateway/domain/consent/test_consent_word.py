"""The word that Redis keeps of a person's consent: what it says of each channel, and back."""

from __future__ import annotations

import pytest

from gateway.domain.consent.word import NOTHING, Channel, Consent, Said, later, read_word, word_of

GIVEN, WITHDRAWN = Consent.GIVEN, Consent.WITHDRAWN
WORDS = [
    ("in:5", Said(GIVEN, 5), Said(GIVEN, 5)),
    ("out:7", Said(WITHDRAWN, 7), Said(WITHDRAWN, 7)),
    ("in:5|out:7", Said(GIVEN, 5), Said(WITHDRAWN, 7)),
    ("|out:7", NOTHING, Said(WITHDRAWN, 7)),
    ("in:5|", Said(GIVEN, 5), NOTHING),
    ("", NOTHING, NOTHING),
]


@pytest.mark.parametrize(("word", "sms", "call"), WORDS)
def test_words(word: str, sms: Said, call: Said) -> None:
    said = {Channel.SMS: sms, Channel.CALL: call}
    assert said == read_word(word)
    assert word == word_of(said)


def test_a_question_is_no_answer() -> None:
    assert set(read_word("ask:5").values()) == {NOTHING}


@pytest.mark.parametrize("word", ["yes:5", "in", "in:5|in:5|in:5", "in:x"])
def test_what_is_no_word_is_an_error(word: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever kind
        read_word(word)


def test_the_later_word_counts_and_of_the_same_moment_the_no() -> None:
    assert later(Said(GIVEN, 6), Said(WITHDRAWN, 5)) == Said(GIVEN, 6)
    assert later(Said(GIVEN, 5), Said(WITHDRAWN, 5)) == Said(WITHDRAWN, 5)
