"""The script of offer calls, every key at every place, without a telephone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import prompts
from config.texts import LANGUAGES
from gateway.domain.offers.callee import Callee
from gateway.domain.offers.offer_call import OnMachine, Outcome
from ivr.offer.order import AnsweredBy, OfferOrder
from ivr.offer.script import MOST_KEYS, OfferScript
from ivr.offer.steps import Action, Answered, AwaitSilence, Do, End, Event, Listen, OfferService
from ivr.talk.steps import Ask, Away, Done, Keyed, TimeUp

INTRO, OFFER = "offers/intro", "offers/offer"
SILENT = Keyed("")
HUMAN, MACHINE, UNSURE = (Answered(by) for by in (AnsweredBy.HUMAN, AnsweredBy.MACHINE, AnsweredBy.UNSURE))
SEND, REFUSE = Do(service=OfferService.SEND), Do(service=OfferService.REFUSE)
# What is said next, as the tests name it: an action is told by its sounds.
SAYS_INTRO = (INTRO, "uk/offer_refuse")
SAYS_OFFER = (OFFER,)
SAYS_KEYS = ("uk/offer_keys",)
SAYS_SENT = ("uk/offer_sent", "uk/offer_goodbye")
SAYS_LATER = ("uk/offer_later", "uk/offer_goodbye")
SAYS_GOODBYE = ("uk/offer_goodbye",)
MESSAGE = (INTRO, OFFER, "uk/offer_call_free", "uk/n0", "uk/n8", "uk/n0", "uk/n0")
# How a callee gets to each place where keys are heard.
PLACES: dict[str, tuple[Event, ...]] = {
    "intro": (),
    "offer": (SILENT,),
    "keys": (SILENT, SILENT),
    "after accepting": (Keyed("1"), Done()),
    "after putting off": (Keyed("2"),),
}


def order(on_machine: OnMachine = OnMachine.IGNORE, language: str = "uk", free: str = "0800") -> OfferOrder:
    callee = Callee(
        shopper_id=1,
        number="380670000007",
        firm_id=1,
        blast_id=1,
        short_number="4040",
        language=language,
    )
    return OfferOrder(
        call_id="o1", callee=callee, intro=INTRO, offer=OFFER, on_machine=on_machine, free_number=free
    )


def after(*events: Event, by: OfferOrder | None = None) -> tuple[OfferScript, Action]:
    """The script after these events, and what it wants."""
    script = OfferScript(by or order())
    action = script.begin()
    for event in events:
        action = script.hear(event)
    return script, action


def told(action: Action) -> object:
    """Sounds of what is said, else the action itself."""
    return action.sounds if isinstance(action, Ask | End) else action


def test_who_calls_is_said_first_and_the_way_out_right_behind() -> None:
    assert after()[1] == Ask(sounds=SAYS_INTRO, waits=False)


def test_a_whole_call_in_silence() -> None:
    script = OfferScript(order())
    said = [told(script.begin())] + [told(script.hear(SILENT)) for _ in range(4)]
    unheard = ("uk/not_heard", "uk/offer_keys")
    assert said == [SAYS_INTRO, SAYS_OFFER, SAYS_KEYS, unheard, SAYS_GOODBYE]
    assert (script.outcome, script.pressed) == (Outcome.HEARD, "")


# Key, place -> what comes next, and what came of the call if it ends then.
NEXT: list[tuple[str, str, object, Outcome]] = [
    *(("9", place, REFUSE, Outcome.REFUSED) for place in PLACES),
    *(("1", place, SEND, Outcome.ACCEPTED) for place in PLACES if place != "after accepting"),
    ("1", "after accepting", SAYS_SENT, Outcome.ACCEPTED),
    ("2", "intro", SAYS_LATER, Outcome.LATER),
    ("2", "offer", SAYS_LATER, Outcome.LATER),
    ("2", "keys", SAYS_LATER, Outcome.LATER),
    ("2", "after putting off", SAYS_LATER, Outcome.LATER),
    ("2", "after accepting", SAYS_SENT, Outcome.ACCEPTED),
    ("*", "intro", SAYS_INTRO, Outcome.HUNG_UP),
    ("*", "offer", SAYS_INTRO, Outcome.HUNG_UP),
    ("*", "keys", SAYS_INTRO, Outcome.HEARD),
    ("*", "after accepting", SAYS_INTRO, Outcome.ACCEPTED),
    ("*", "after putting off", SAYS_INTRO, Outcome.LATER),
    ("5", "intro", ("uk/wrong_key", "uk/offer_refuse", OFFER), Outcome.HUNG_UP),
    ("5", "offer", ("uk/wrong_key", OFFER), Outcome.HUNG_UP),
    ("5", "keys", ("uk/wrong_key", "uk/offer_keys"), Outcome.HEARD),
    ("5", "after accepting", ("uk/wrong_key", "uk/offer_keys"), Outcome.ACCEPTED),
    ("5", "after putting off", ("uk/wrong_key", "uk/offer_keys"), Outcome.LATER),
    ("", "intro", SAYS_OFFER, Outcome.HUNG_UP),
    ("", "offer", SAYS_KEYS, Outcome.HEARD),
    ("", "keys", ("uk/not_heard", "uk/offer_keys"), Outcome.HEARD),
    ("", "after accepting", (), Outcome.ACCEPTED),
    ("", "after putting off", (), Outcome.LATER),
]


@pytest.mark.parametrize(
    ("key", "place", "next_", "outcome"), NEXT, ids=[f"{key or 'silence'} {place}" for key, place, *_ in NEXT]
)
def test_each_key_at_each_place(key: str, place: str, next_: object, outcome: Outcome) -> None:
    script, action = after(*PLACES[place], Keyed(key))
    assert (told(action), script.outcome) == (next_, outcome)


@pytest.mark.parametrize(
    ("key", "event", "said", "ends"),
    [
        ("1", Done(), SAYS_SENT, False),
        ("1", Away(), ("uk/offer_sent_later", "uk/offer_goodbye"), False),
        ("9", Done(), ("uk/no_more_offers", "uk/offer_goodbye"), True),
        ("9", Away(), ("uk/offer_refused_later", "uk/offer_goodbye"), True),
    ],
)
def test_what_a_key_has_brought_is_said(key: str, event: Event, said: object, ends: bool) -> None:
    _, action = after(Keyed(key), event)
    assert told(action) == said
    assert isinstance(action, End) == ends


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((Keyed("2"), Keyed("1"), Done()), Outcome.ACCEPTED),
        ((Keyed("1"), Done(), Keyed("2")), Outcome.ACCEPTED),
        ((Keyed("1"), Done(), Keyed("9"), Done()), Outcome.REFUSED),
        ((Keyed("2"), Keyed("9"), Done()), Outcome.REFUSED),
        ((Keyed("2"), Keyed("*"), SILENT, SILENT, SILENT), Outcome.LATER),
    ],
)
def test_of_several_keys_the_strongest_holds(events: tuple[Event, ...], outcome: Outcome) -> None:
    assert after(*events)[0].outcome is outcome


def test_an_offer_is_asked_for_once_however_often_it_is_pressed() -> None:
    script, action = after(Keyed("1"), Done())
    wishes = 0
    for _ in range(MOST_KEYS):
        action = script.hear(Keyed("1"))
        wishes += isinstance(action, Do)
    assert wishes == 0
    assert told(action) == SAYS_GOODBYE


def test_wrong_keys_are_borne_twice_and_a_right_one_forgives_them() -> None:
    wrong = Keyed("4")
    assert told(after(wrong, wrong, wrong)[1]) == SAYS_GOODBYE
    assert told(after(wrong, wrong, Keyed("*"), wrong, wrong)[1]) != SAYS_GOODBYE


# Machines


@pytest.mark.parametrize(
    ("answered", "next_"), [(HUMAN, SAYS_INTRO), (UNSURE, SAYS_INTRO), (MACHINE, ())], ids=str
)
def test_only_a_machine_is_hung_up_on(answered: Answered, next_: object) -> None:
    by = order(OnMachine.HANG_UP)
    assert after(by=by)[1] == Listen()
    script, action = after(answered, by=by)
    assert told(action) == next_
    assert script.answered_by is answered.by
    assert (script.outcome is Outcome.MACHINE) == (answered is MACHINE)


def test_a_message_is_left_once_the_greeting_is_over() -> None:
    by = order(OnMachine.LEAVE_MESSAGE)
    script, action = after(MACHINE, by=by)
    assert action == AwaitSilence()
    assert script.hear(Done()) == Ask(sounds=MESSAGE, waits=False)
    before = script.outcome  # if it breaks off here
    assert script.hear(SILENT) == End(sounds=())
    assert (before, script.outcome) == (Outcome.MACHINE, Outcome.MESSAGE_LEFT)


def test_a_message_without_a_free_number() -> None:
    by = order(OnMachine.LEAVE_MESSAGE, free="")
    assert told(after(MACHINE, Done(), by=by)[1]) == (INTRO, OFFER)


@pytest.mark.parametrize(
    ("key", "next_", "outcome"),
    [
        ("9", REFUSE, Outcome.REFUSED),
        ("1", SEND, Outcome.ACCEPTED),
        ("5", ("uk/wrong_key", "uk/offer_refuse", OFFER), Outcome.HUNG_UP),
    ],
)
def test_who_was_taken_for_a_machine_can_press_keys(key: str, next_: object, outcome: Outcome) -> None:
    by = order(OnMachine.LEAVE_MESSAGE)
    script, action = after(MACHINE, Done(), Keyed(key), by=by)
    assert (told(action), script.outcome, script.answered_by) == (next_, outcome, AnsweredBy.HUMAN)


# Ends


@pytest.mark.parametrize("place", PLACES)
def test_time_that_is_up_still_hears_a_no(place: str) -> None:
    assert told(after(*PLACES[place], TimeUp())[1]) == SAYS_GOODBYE
    script, action = after(*PLACES[place], TimeUp("9"))
    assert (action, script.outcome) == (REFUSE, Outcome.REFUSED)


@given(st.lists(st.sampled_from("0123456789*"), min_size=3 * MOST_KEYS, max_size=3 * MOST_KEYS))
def test_no_call_goes_on_for_ever_and_a_no_is_always_heard(keys: list[str]) -> None:
    script = OfferScript(order())
    action = script.begin()
    for at, key in enumerate(keys):
        assert len(script.pressed) <= MOST_KEYS
        action = script.hear(Done() if isinstance(action, Do) else Keyed(key))
        if isinstance(action, End):
            assert ("9" in script.pressed) == (script.outcome is Outcome.REFUSED)
            assert at < 2 * MOST_KEYS
            return
    raise AssertionError("the call goes on")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_a_prompt_of_the_language(language: str) -> None:
    by = order(OnMachine.LEAVE_MESSAGE, language)
    ways: list[tuple[Event, ...]] = [
        (HUMAN,),
        *((HUMAN, *steps) for steps in PLACES.values()),
        *((HUMAN, Keyed(key), event) for key in "19" for event in (Done(), Away())),
        (HUMAN, Keyed("5")),
        (MACHINE, Done()),
    ]
    heard = [sound for way in ways for sound in _sounds(after(*way, by=by)[1])]
    house = [sound.partition("/") for sound in heard if sound not in (INTRO, OFFER)]
    assert {found for found, _, _ in house} == {language}
    assert {name for _, _, name in house} <= set(prompts.load(language))


def _sounds(action: Action) -> tuple[str, ...]:
    return action.sounds if isinstance(action, Ask | End) else ()
