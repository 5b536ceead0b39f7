"""Answers: one text for everything that came of a message, in four languages, short enough."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from config.texts import LANGUAGES, load
from gateway.domain.answers.answers import CodeOutcome, Situation, compose
from gateway.domain.answers.outcome import Outcome
from gateway.domain.sms.segments import count

LATE = datetime(2026, 3, 12, 22, 30, tzinfo=UTC)  # past midnight in Kyiv
EARLY = datetime(2026, 3, 1, 9, 5, tzinfo=UTC)


def code(outcome: str, points: int = 0, at: datetime | None = None) -> CodeOutcome:
    return CodeOutcome(outcome=Outcome(outcome), points=points, at=at)


def situation(
    *codes: CodeOutcome,
    services: str = "",
    balance: int | None = 120,
    alias: str | None = "123456789",
    wait_until: datetime | None = None,
    now: datetime | None = None,
    firm: str = "",
    asks_consent: bool = False,
) -> Situation:
    return Situation(
        codes=codes,
        services=tuple(map(Outcome, services.split())),
        balance=balance,
        alias=alias,
        wait_until=wait_until,
        campaign="Лето",
        timezone="Europe/Kyiv",
        now=now,
        firm=firm,
        asks_consent=asks_consent,
        alias_until=LATE,
        short_number="4040",
    )


TEN = code("activated", 10)
CASES = [
    pytest.param("ru", situation(TEN), "Код принят: +10 баллов. Баланс: 120.", id="activated, ru"),
    pytest.param("uk", situation(TEN), "Код прийнято: +10 балів. Баланс: 120.", id="activated, uk"),
    pytest.param("kk", situation(TEN), "Код қабылданды: +10 ұпай. Баланс: 120.", id="activated, kk"),
    pytest.param("en", situation(TEN), "Code accepted: +10 points. Balance: 120.", id="activated, en"),
    pytest.param(
        "en",
        situation(TEN, TEN, code("invalid")),
        "Accepted: 2 codes, +20 points. Not valid: 1 code. Balance: 120.",
        id="two and an invalid one",
    ),
    pytest.param(
        "ru",
        situation(code("ended"), TEN),
        "Принято: 1 код, +10 баллов. Акция завершена: 1 код. Баланс: 120.",
        id="good news first",
    ),
    pytest.param(
        "ru", situation(code("already_used")), "Этот код уже использован.", id="already used, names nobody"
    ),
    pytest.param(
        "ru",
        situation(code("already_yours", 10, LATE)),
        "Этот код уже засчитан вам 13.03.2026.",
        id="already yours, date of the zone",
    ),
    pytest.param(
        "en",
        situation(
            code("already_yours", 10, EARLY), code("already_yours", 10, LATE), code("already_yours", 1, LATE)
        ),
        "Credited to you on 01 Mar 2026: 1 code. Credited to you on 13 Mar 2026: 2 codes.",
        id="already yours on two days",
    ),
    pytest.param(
        "en",
        situation(code("invalid"), code("invalid")),
        "Not valid: 2 codes.",
        id="nothing credited, no balance",
    ),
    pytest.param(
        "uk",
        situation(code("not_started", 0, EARLY)),
        "Акція почнеться 01.03.2026. Збережіть код до цього дня.",
        id="not started",
    ),
    pytest.param(
        "uk",
        situation(code("not_started")),
        "Акція ще не почалася. Надішліть код пізніше.",
        id="not started, day unknown",
    ),
    pytest.param(
        "en",
        situation(code("not_started"), code("not_started", 0, EARLY), TEN),
        "Accepted: 1 code, +10 points. Promotion not started: 1 code."
        " Promotion starts on 01 Mar 2026: 1 code. Balance: 120.",
        id="not started, with and without a day",
    ),
    pytest.param("en", situation(services="balance", balance=1), "Your balance: 1 point.", id="balance"),
    pytest.param(
        "en", situation(services="balance", balance=None), "Your balance: 0 points.", id="no balance"
    ),
    pytest.param(
        "en",
        situation(TEN, TEN, services="balance"),
        "Accepted: 2 codes, +20 points. Your balance: 120 points.",
        id="the balance is told once",
    ),
    pytest.param(
        "en",
        situation(services="alias"),
        "Your alias: 123 456 789. Say it at the till.",
        id="alias in groups",
    ),
    pytest.param(
        "en",
        situation(services="alias", alias="1234567890"),
        "Your alias: 123 456 7890. Say it at the till.",
        id="a longer alias",
    ),
    pytest.param(
        "en",
        situation(services="new_alias"),
        "Your new alias: 123 456 789. The old one works until 13 Mar 2026.",
        id="a new alias",
    ),
    pytest.param(
        "ru",
        situation(services="alias_kept"),
        "Ваш псевдоним: 123 456 789. Новый можно получить после 13.03.2026.",
        id="no new alias yet",
    ),
    pytest.param(
        "en",
        situation(services="alias_called"),
        "Your alias: 123 456 789. To spend with it, first send any SMS to 4040."
        " It was not you who called? Send NEW ALIAS.",
        id="an alias asked for by call",
    ),
    pytest.param(
        "en",
        situation(services="opt_out alias_proved"),
        "You are unsubscribed. We will not send you any more offers. Your alias can be used now.",
        id="the text after a call",
    ),
    pytest.param(
        "en",
        situation(services="alias", alias=None),
        "Your alias is not available now. Please try later.",
        id="no alias",
    ),
    pytest.param(
        "ru",
        situation(services="limited", wait_until=EARLY),
        "Слишком много попыток. Код цел, пришлите его после 11:05.",
        id="limited",
    ),
    pytest.param(
        "ru",
        situation(services="limited", wait_until=LATE, now=EARLY),
        "Слишком много попыток. Код цел, пришлите его после 13.03 00:30.",
        id="limited until another day",
    ),
    pytest.param(
        "en",
        situation(TEN, services="opt_out"),
        "Code accepted: +10 points. Balance: 120."
        " You are unsubscribed. We will not send you any more offers.",
        id="a code and a STOP",
    ),
    pytest.param(
        "en",
        situation(services="opt_out_firm", firm="Cola"),
        "You will get no more offers from Cola.",
        id="a STOP of one firm",
    ),
    pytest.param(
        "en",
        situation(TEN, asks_consent=True),
        "Code accepted: +10 points. Balance: 120. Offers by SMS and calls? Reply YES. To refuse, reply STOP.",
        id="asks for consent",
    ),
    pytest.param("ru", situation(), "", id="nothing to say"),
]


@pytest.mark.parametrize(("language", "given", "answer"), CASES)
def test_compose(language: str, given: Situation, answer: str) -> None:
    assert answer == compose(given, load(language))


def test_a_campaign_says_it_in_its_own_words() -> None:
    words = load("ru").override({"activated": "{campaign}: +{points}, всего {balance}!"})
    assert compose(situation(TEN), words) == "Лето: +10 баллов, всего 120!"


def test_with_an_opt_out_the_house_speaks() -> None:
    words = load("ru").override({"activated": "Купите ещё колы! +{points}, всего {balance}"})
    assert compose(situation(TEN, services="opt_out"), words) == compose(
        situation(TEN, services="opt_out"), load("ru")
    )


CODE_OUTCOMES = ["activated", "already_used", "already_yours", "invalid", "not_started", "ended", "paused"]
SERVICES = [
    *("opt_out", "opt_out_firm", "opt_in", "help", "alias", "alias_proved", "new_alias", "alias_kept"),
    *("balance", "invite", "limited", "unknown"),
]
LONG_SERVICES = ["alias_called", "agreed_called"]  # it must warn whoever did not call


def test_every_outcome_has_words() -> None:
    assert {*CODE_OUTCOMES, *SERVICES, *LONG_SERVICES} == {outcome.value for outcome in Outcome}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", CODE_OUTCOMES)
def test_an_answer_to_one_code_is_one_segment(language: str, outcome: str) -> None:
    answer = compose(situation(code(outcome, 1000, LATE), balance=1_234_567), load(language))
    assert count(answer) == 1


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("outcome", SERVICES)
def test_an_answer_to_a_service_is_one_segment(language: str, outcome: str) -> None:
    answer = compose(
        situation(services=outcome, balance=1_234_567, wait_until=LATE, now=EARLY), load(language)
    )
    assert count(answer) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_confirmation_that_asks_for_consent_is_two_segments_at_most(language: str) -> None:
    answer = compose(situation(TEN, balance=1_234_567, asks_consent=True), load(language))
    assert count(answer) <= 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alias_asked_for_by_call_is_told_in_two_segments_at_most(language: str) -> None:
    answer = compose(situation(services="alias_called"), load(language))
    assert count(answer) <= 2
    assert all(word in answer for word in ("123 456 789", "4040", "SMS"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_yes_by_call_is_told_in_two_segments_at_most(language: str) -> None:
    answer = compose(situation(services="agreed_called"), load(language))
    assert count(answer, plain=True) <= 2
    stop = {"uk": "СТОП", "ru": "СТОП", "kk": "ТОҚТА", "en": "STOP"}[language]
    assert all(word in answer for word in (situation().firm, "4040", stop, "SMS"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pin_text_is_one_segment(language: str) -> None:
    told = load(language).say("web_pin", pin="123456", firm="Cola")
    assert count(told) == 1
    assert all(word in told for word in ("123456", "Cola"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("second", ["activated", "already_used", "invalid", "not_started", "ended", "paused"])
def test_two_codes_are_one_segment_where_no_date_is_told(language: str, second: str) -> None:
    assert count(compose(situation(TEN, code(second)), load(language))) == 1
