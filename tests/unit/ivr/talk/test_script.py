"""The call script, in every path, without a telephone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import prompts
from config.texts import LANGUAGES
from gateway.domain.answers.outcome import Outcome
from ivr.talk.caller import Caller, Sight
from ivr.talk.script import MOST_CODE, MOST_PRESSED, Script
from ivr.talk.sounds import groups
from ivr.talk.steps import (
    Action,
    Ask,
    Away,
    CallEnd,
    Counted,
    Do,
    Done,
    End,
    Event,
    Found,
    Judged,
    Keyed,
    Service,
    TimeUp,
)

ALIAS = "123456789"
TWICE = ["alias_is", *groups(ALIAS), "pause", "once_more", *groups(ALIAS), "pause"]
SPENDING = ["spend_after_sms", "n4", "n0", "n4", "n0", "pause"]
FOUND = Found(language=None, alias=ALIAS)
SERVED = (FOUND, Done())  # the usual beginning
KNOWN = Caller(sight=Sight.KNOWN, language="uk", number="380670000007")


def after(*events: Event, caller: Caller = KNOWN) -> tuple[Script, Action]:
    """The script after these events, and what it wants."""
    script = Script(caller, "4040")
    action = script.begin()
    for event in events:
        action = script.hear(event)
    return script, action


def keyed(keys: str) -> list[Event]:
    """Keys, one event each."""
    return [Keyed(key) for key in keys]


def said(action: Action, language: str = "uk") -> list[str]:
    """The prompts of an action, all in one language."""
    assert not isinstance(action, Do)
    spoken = [sound.partition("/") for sound in action.sounds]
    assert {found for found, _, _ in spoken} <= {language}
    return [name for _, _, name in spoken]


def test_at_first_the_gateway_is_asked() -> None:
    assert after()[1] == Do(service=Service.LOOK_UP, language="uk")
    assert after(FOUND)[1] == Do(service=Service.TEXT_ALIAS, language="uk")


def test_the_alias_is_said_twice_and_sent() -> None:
    _, action = after(*SERVED)
    assert said(action) == ["pause", "greeting", *TWICE, "sent_by_sms", *SPENDING, "menu"]
    assert isinstance(action, Ask)
    assert action.most == 1


def test_without_its_sms_no_sms_is_promised() -> None:
    assert said(after(FOUND, Away())[1]) == ["pause", "greeting", *TWICE, *SPENDING, "menu"]


@pytest.mark.parametrize("away", [Away(), Found(language=None, alias=None)], ids=["all", "alias"])
def test_an_alias_that_is_away_comes_by_sms(away: Event) -> None:
    assert said(after(away, Done())[1]) == ["pause", "greeting", "alias_by_sms", "menu"]


def test_where_nothing_works_the_caller_is_asked_to_call_later() -> None:
    _, action = after(Away(), Away())
    assert said(action) == ["pause", "greeting", "call_later", "goodbye"]
    assert isinstance(action, End)
    assert action.end is CallEnd.AWAY


def test_an_earlier_choice_of_language_wins() -> None:
    script, action = after(Found(language="kk", alias=ALIAS), Done())
    assert script.language == "kk"
    assert said(action, "kk")[-1] == "menu"
    assert after(Found(language="kk", alias=None), Done())[0].language == "kk"


@pytest.mark.parametrize(
    ("keys", "heard"),
    [
        ("2", ["sent_already", "menu"]),
        ("3", ["enter_code"]),
        ("0", ["help", "menu"]),
        ("7", ["consent_question"]),
        ("6", ["wrong_key", "menu"]),
        ("#", ["wrong_key", "menu"]),
        ("", ["not_heard", "menu"]),
    ],
)
def test_keys_that_are_answered_at_once(keys: str, heard: list[str]) -> None:
    assert heard == said(after(*SERVED, Keyed(keys))[1])


@pytest.mark.parametrize(
    ("key", "service", "event", "heard"),
    [
        ("4", Service.BALANCE, Counted(21), ["balance_is", "n20", "n1", "menu"]),
        ("4", Service.BALANCE, Away(), ["not_now", "menu"]),
        ("9", Service.STOP, Done(), ["no_more_offers", "menu"]),
        ("9", Service.STOP, Away(), ["not_now", "menu"]),
    ],
)
def test_keys_that_ask_the_gateway(key: str, service: Service, event: Event, heard: list[str]) -> None:
    assert after(*SERVED, Keyed(key))[1] == Do(service=service, language="uk")
    assert heard == said(after(*SERVED, Keyed(key), event)[1])


def test_an_sms_that_could_not_leave_at_first_is_tried_once_more() -> None:
    unsent = (FOUND, Away(), Keyed("2"))
    assert after(*unsent)[1] == Do(service=Service.TEXT_ALIAS, language="uk")
    assert said(after(*unsent, Away())[1]) == ["not_now", "menu"]
    assert said(after(*unsent, Done())[1]) == ["sent_already", "menu"]
    assert said(after(*unsent, Done(), Keyed("2"))[1]) == ["sent_already", "menu"]  # once a call


@pytest.mark.parametrize("opened", [FOUND, Away()], ids=["told already", "away at first"])
def test_an_alias_is_looked_up_anew_each_time(opened: Event) -> None:
    again = (opened, Done(), Keyed("1"))
    other = "987654321"
    assert after(*again)[1] == Do(service=Service.LOOK_UP, language="uk")
    assert said(after(*again, FOUND)[1]) == [*TWICE, *SPENDING, "menu"]
    told = said(after(*again, Found(language="kk", alias=other))[1])
    assert told == [
        "alias_is",
        *groups(other),
        "pause",
        "once_more",
        *groups(other),
        "pause",
        *SPENDING,
        "menu",
    ]
    assert said(after(*again, Away())[1]) == ["not_now", "menu"]
    assert said(after(*again, Found(language="kk", alias=None))[1]) == ["not_now", "menu"]


def test_a_code_is_read_in_full_and_never_noted() -> None:
    script, action = after(*SERVED, Keyed("3"))
    assert isinstance(action, Ask)
    assert action.most == MOST_CODE
    action = script.hear(Keyed("1234567890123"))
    assert action == Do(service=Service.ACTIVATE, language="uk", keyed="1234567890123")
    assert script.pressed == "3"
    assert "1234567890123" not in repr(action)


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (Judged(Outcome.ACTIVATED, 10), ["activated", "n10", "menu"]),
        (Judged(Outcome.ALREADY_YOURS), ["already_yours", "menu"]),
        (Judged(Outcome.ALREADY_USED), ["already_used", "menu"]),
        (Judged(Outcome.INVALID), ["invalid", "enter_code"]),
        (Judged(Outcome.NOT_STARTED), ["not_started", "menu"]),
        (Judged(Outcome.ENDED), ["ended", "menu"]),
        (Judged(Outcome.PAUSED), ["paused", "menu"]),
        (Judged(Outcome.LIMITED), ["limited", "menu"]),
        (Away(), ["code_not_now", "menu"]),
    ],
)
def test_what_became_of_a_code_is_said(event: Event, heard: list[str]) -> None:
    assert heard == said(after(*SERVED, Keyed("3"), Keyed("1234567890123"), event)[1])


def test_a_star_leads_back_from_a_code() -> None:
    assert said(after(*SERVED, Keyed("3"), Keyed("12*"))[1]) == ["menu"]


@pytest.mark.parametrize(
    ("key", "service", "heard"),
    [
        ("1", Service.AGREE, ["consent_given", "menu"]),
        ("9", Service.STOP, ["no_more_offers", "menu"]),
        ("*", None, ["menu"]),
        ("7", None, ["wrong_key", "consent_question"]),
        ("", None, ["not_heard", "consent_question"]),
    ],
)
def test_a_yes_to_offers_is_one_key_after_the_question(
    key: str, service: Service | None, heard: list[str]
) -> None:
    script, action = after(*SERVED, Keyed("7"), Keyed(key))
    if service is not None:
        assert action == Do(service=service, language="uk")
        action = script.hear(Done())
    assert said(action) == heard


def test_a_yes_that_cannot_be_kept_is_not_told() -> None:
    assert said(after(*SERVED, *keyed("71"), Away())[1]) == ["not_now", "menu"]


def test_no_code_is_a_silence() -> None:
    assert said(after(*SERVED, Keyed("3"), Keyed(""))[1]) == ["not_heard", "enter_code"]


@pytest.mark.parametrize(("key", "language"), [("1", "uk"), ("2", "ru"), ("3", "kk"), ("4", "en")])
@pytest.mark.parametrize("event", [Done(), Away()], ids=["kept", "away"])
def test_a_language_is_chosen_in_its_own_words(key: str, language: str, event: Event) -> None:
    script, action = after(*SERVED, Keyed("8"))
    assert isinstance(action, Ask)
    assert action.sounds == tuple(f"{each}/choose" for each in LANGUAGES)
    assert prompts.load(language)["choose"]
    assert script.hear(Keyed(key)) == Do(service=Service.CHOOSE_LANGUAGE, language=language)
    assert said(script.hear(event), language) == ["language_set", "menu"]
    assert script.language == language


def test_another_key_is_no_language() -> None:
    _, action = after(*SERVED, Keyed("8"), Keyed("5"))
    assert isinstance(action, Ask)
    assert action.sounds[0] == "uk/wrong_key"
    assert action.sounds[-1] == "en/choose"


@pytest.mark.parametrize("where", ["", "3", "7", "8"], ids=["menu", "code", "offers", "language"])
def test_who_says_nothing_is_asked_once_more(where: str) -> None:
    script, _ = after(*SERVED, *keyed(where))
    assert isinstance(script.hear(Keyed("")), Ask)
    action = script.hear(Keyed(""))
    assert said(action) == ["goodbye"]
    assert isinstance(action, End)
    assert action.end is CallEnd.SILENCE


def test_after_a_key_silence_counts_anew() -> None:
    assert isinstance(after(*SERVED, Keyed(""), Keyed("0"), Keyed(""))[1], Ask)


@pytest.mark.parametrize("most", [1, 3])
def test_how_much_silence_is_borne_is_set(most: int) -> None:
    script = Script(KNOWN, "4040", most)
    script.begin()
    events: tuple[Event, ...] = (*SERVED, *[Keyed("")] * most)
    actions = [script.hear(event) for event in events]
    assert [isinstance(action, End) for action in actions[-most:]] == [False] * (most - 1) + [True]


def test_wrong_keys_are_borne_twice_and_a_right_one_wipes_the_slate() -> None:
    assert isinstance(after(*SERVED, *keyed("55"), Keyed("0"), *keyed("55"))[1], Ask)
    assert isinstance(after(*SERVED, *keyed("5"), Keyed(""), *keyed("5"))[1], End)


@pytest.mark.parametrize(
    ("sight", "why"),
    [
        (Sight.WITHHELD, "withheld"),
        (Sight.UNKNOWN, "unknown_caller"),
        (Sight.MALFORMED, "unknown_caller"),
        (Sight.FOREIGN, "foreign"),
    ],
)
def test_whoever_cannot_be_served_is_told_what_to_do_instead(sight: Sight, why: str) -> None:
    caller = Caller(sight=sight, language="uk")
    instead = [why, "instead", "n4", "n0", "n4", "n0", "pause", "instead_keys"]
    assert said(after(caller=caller)[1]) == ["pause", "greeting", *instead]
    assert said(after(Keyed("1"), caller=caller)[1]) == instead
    assert said(after(Keyed("3"), caller=caller)[1]) == ["wrong_key", *instead]
    _, action = after(Keyed(""), caller=caller)
    assert isinstance(action, End)
    assert (said(action), action.end) == (["goodbye"], CallEnd.INSTEAD)


@given(st.lists(st.text("0123456789*#", max_size=3), max_size=12))
def test_for_whoever_cannot_be_served_nothing_is_ever_asked_or_stored(keys: list[str]) -> None:
    script = Script(Caller(sight=Sight.WITHHELD, language="en"), "4040")
    action = script.begin()
    for key in keys:
        assert not isinstance(action, Do)
        if isinstance(action, End):
            return
        action = script.hear(Keyed(key))
    assert not isinstance(action, Do)


def test_a_language_can_be_had_without_a_number() -> None:
    caller = Caller(sight=Sight.WITHHELD, language="uk")
    _, action = after(Keyed("8"), Keyed("4"), caller=caller)
    assert said(action, "en")[:2] == ["language_set", "withheld"]


@pytest.mark.parametrize("where", ["", "3", "7", "8", "0"])
def test_when_the_time_is_up_there_is_a_goodbye(where: str) -> None:
    _, action = after(*SERVED, *keyed(where), TimeUp())
    assert isinstance(action, End)
    assert (said(action), action.end) == (["goodbye"], CallEnd.TIME_UP)


ANSWERS: dict[Service, list[Event]] = {
    Service.LOOK_UP: [FOUND, Found(language="ru", alias=None), Away()],
    Service.ACTIVATE: [Judged(outcome, 7) for outcome in Outcome if outcome in prompts.SENTENCES],
    Service.BALANCE: [Counted(-1_234_567), Counted(10**12), Away()],
}


@given(st.data())
def test_every_sound_of_every_path_exists_and_keys_stay_few(data: st.DataObject) -> None:
    sight = data.draw(st.sampled_from(Sight))
    script = Script(Caller(sight=sight, language=data.draw(st.sampled_from(LANGUAGES))), "4040")
    action = script.begin()
    for _ in range(80):
        if isinstance(action, Do):
            action = script.hear(data.draw(st.sampled_from(ANSWERS.get(action.service, [Done(), Away()]))))
            continue
        for language, _, name in (sound.partition("/") for sound in action.sounds):
            assert name == prompts.PAUSE or name in prompts.load(language)
        if isinstance(action, End):
            break
        action = script.hear(Keyed(data.draw(st.sampled_from(["", *"0123456789*#"]))))
    assert len(script.pressed) <= MOST_PRESSED
