"""The longest answers of a wording: what is told of those that take too many segments, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from config import texts
from gateway.domain.answers.longest import MOST_BALANCE, Extremes, TooLong, too_long
from gateway.domain.sms.segments import count

CAMPAIGN = "Summer caps"


def told(
    own: dict[str, object],
    *,
    language: str = "en",
    most: int = 1,
    plain: bool = True,
    campaign: str = CAMPAIGN,
) -> list[TooLong]:
    words = texts.load(language).override(own)
    return too_long(words, Extremes(campaign=campaign, points=1_000_000), most=most, plain=plain)


@pytest.mark.parametrize(
    ("language", "own", "most", "segments"),
    [
        pytest.param("en", {"ended": "a" * 160}, 1, None, id="160 septets are one"),
        pytest.param("en", {"ended": "a" * 161}, 1, 2, id="161 are two"),
        pytest.param("en", {"ended": "a" * 161}, 2, None, id="two are allowed"),
        pytest.param("en", {"ended": "€" * 80}, 1, None, id="80 pairs are one"),
        pytest.param("en", {"ended": "a" * 159 + "€"}, 1, 2, id="a pair too much"),
        pytest.param("uk", {"ended": "я" * 70}, 1, None, id="70 Cyrillic letters are one"),
        pytest.param("uk", {"ended": "я" * 71}, 1, 2, id="71 are two"),
        pytest.param("uk", {"ended": "я" * 268}, 4, None, id="four times 67"),
        pytest.param("uk", {"ended": "я" * 269}, 4, 5, id="and one more"),
        pytest.param("uk", {"ended": "я" * 65 + "🎉🎉🎉"}, 1, 2, id="an emoji is two"),
        pytest.param("en", {"balance": "a" * 144 + "{points}"}, 1, None, id="a balance of nine digits"),
        pytest.param("en", {"balance": "a" * 145 + "{points}"}, 1, 2, id="and its noun"),
        pytest.param("en", {"already_yours": "a" * 149 + "{date}"}, 1, None, id="a day is eleven long"),
        pytest.param("en", {"already_yours": "a" * 150 + "{date}"}, 1, 2, id="not ten"),
        pytest.param("en", {"limited": "a" * 149 + "{time}"}, 1, 2, id="a limit may end on another day"),
        pytest.param("en", {"alias": "a" * 150 + "{alias}"}, 1, 2, id="an alias is eleven long"),
        pytest.param(
            "ru",
            {"points": {"one": "{n} з", "few": "{n} " + "звезды" * 12, "many": "{n} з", "other": "{n} з"}},
            2,
            3,
            id="the plural form that is longest",
        ),
    ],
)
def test_a_sentence(language: str, own: dict[str, object], most: int, segments: int | None) -> None:
    assert [segments] * (segments is not None) == [
        t.segments for t in told(own, language=language, most=most)
    ]


def test_what_is_told() -> None:
    (answer,) = told({"ended": "{campaign} is over “now”, ш " + "a" * 60})
    assert answer.keys == ("ended",)
    assert answer.example == f"{CAMPAIGN} is over “now”, ш " + "a" * 60
    assert answer.outside == "ш"  # quotes would be replaced, the letter makes it UCS-2
    (answer,) = told({"ended": "“Over” " + "a" * 80}, plain=False)
    assert answer.outside == "“”"
    assert not told({"ended": "“Over” " + "a" * 80}, plain=True)


@pytest.mark.parametrize(("campaign", "segments"), [("Summer", []), ("S" * 100, [2]), ("Лето", [2])])
def test_the_name_of_the_campaign_counts(campaign: str, segments: list[int]) -> None:
    own: dict[str, object] = {"ended": "{campaign}: " + "a" * 70}
    assert segments == [answer.segments for answer in told(own, campaign=campaign)]


def test_sentences_that_stand_together_are_counted_together() -> None:
    (answer,) = told({"several": {"ended": "{codes}: " + "a" * 100}}, most=1)
    assert answer.keys == ("several.activated", "several.ended", "several.balance")
    assert str(MOST_BALANCE) in answer.example
    assert "100000000 points" in answer.example  # a hundred codes of a million
    assert "100 codes" in answer.example
    assert count(answer.example) == answer.segments == 2


def test_one_sentence_at_fault_is_told_once() -> None:
    assert len(told({"several": {"activated": "{codes} {points} " + "a" * 160}})) == 1
    both = {"several": {"ended": "{codes} " + "a" * 160, "paused": "{codes} " + "b" * 160}}
    assert sorted(t.keys[1] for t in told(dict(both))) == ["several.ended", "several.paused"]


def test_nouns_of_its_own_count_in_the_house_sentences() -> None:
    noun = {"one": "{n} point", "other": "{n} " + "shiny " * 30 + "points"}
    assert told({"points": noun}, most=2) == []
    assert all("shiny" in answer.example for answer in told({"points": noun}, most=1))
    assert told({"points": noun}, most=1) != []


@pytest.mark.parametrize(("letters", "segments"), [(138, []), (139, [2])])
def test_the_longest_day_of_the_year_is_found(letters: int, segments: list[int]) -> None:
    own = {"already_yours": "a" * letters + "{date}"}
    words = replace(texts.load("en").override(own), dates={**texts.load("en").dates, "day": "%d %B %A"})
    found = too_long(words, Extremes(campaign="", points=1), most=1, plain=True)
    assert segments == [answer.segments for answer in found]
    assert all(answer.example.endswith(" September Wednesday") for answer in found)


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_the_words_of_the_house_need_no_more_than_two_segments(language: str) -> None:
    """By themselves they are not complained of at any limit: they are no campaign's own."""
    assert told({}, language=language, most=1) == []
    house = texts.load(language)
    kept = {
        "opt_out",
        "opt_out_firm",
        "ask_consent",
        "alias_called",
        "agreed_called",
        "offer_opt_out",
        "web_pin",
    }
    kept |= {"opt_in_sms", "opt_in_call"}
    own: dict[str, object] = {key: text + " " for key, text in house.sentences.items() if key not in kept}
    assert told(own, language=language, most=2) == []
