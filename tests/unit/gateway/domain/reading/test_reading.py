"""Texts beyond the corpus: ways to type a code, what is no code, words, languages, any text at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.domain.codes.alphabet import ALPHABETS, clean, printed
from gateway.domain.codes.candidate import Candidate, CodeForm
from gateway.domain.reading import reading
from gateway.domain.reading.reading import MAX_TEXT, Intent, read_text

DIGITS = CodeForm(alphabet="digits", length=13)
LETTERS = CodeForm(alphabet="letters", length=10)
BOTH = (DIGITS, LETTERS)


def symbols(text: str, *forms: CodeForm) -> list[str]:
    return [c.symbols for c in read_text(text, forms or BOTH).candidates]


@pytest.mark.parametrize(
    "text",
    [
        "4821-3345-12345", "482 133 451 2345", "4821 3345-12345", "{4821.3345.12345}", "код4821334512345",
        "№4821-3345-12345", "No4821-3345-12345", "промокод4821-3345-12345ура", "4821,3345,12345",
        "4821/3345/12345", "4821_3345_12345", "4821*3345*12345", "4821|3345|12345", "482|334512345",
        "4 8 2 1 3 3 4 5 1 2 3 4 5", "4 8 2 1 - 3 3 4 5 - 1 2 3 4 5", "4821--3345--12345",
        "4821 - 3345 - 12345", "4️⃣8️⃣2️⃣1️⃣3345-12345", "4821\r\n3345\r\n12345", "+4821-3345-12345",
        "067 123 45 67 4821334512345", "067 123 45 67 4821 3345 12345", "4821 3345 12345 067 123 45 67",
        "4821-3345-12345 31.12.2026 12:30", "0,5l 4821-3345-12345", "1.4821334512345", "З 4821-3345-12345",
        "\ud800 4821-3345-12345",
    ],
)  # fmt: skip
def test_one_code_of_digits(text: str) -> None:
    assert symbols(text) == ["4821334512345"]


@pytest.mark.parametrize(
    "text",
    [
        "7K3AC-DEFH9", "7k3ac defh9 thanx", "party 7K3AC DEFH9", "party 7k3ac-defh9", "код 7k3 acd efh9",
        "7 K 3 A C D E F H 9", "7 K 3 A C - D E F H 9 7 K 3 A C - D E F H 9", "7К3АС.dеfн9",
        "7K3ACDEFH9 +380 67 123 45 67",
    ],
)  # fmt: skip
def test_one_code_of_letters(text: str) -> None:
    assert symbols(text) == ["7K3ACDEFH9"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("4821-3345-1234", ["482133451234"], id="last digit missing"),
        pytest.param("4821-334-12345", ["482133412345"], id="middle digit missing"),
        pytest.param("4821 3345 123456", ["48213345123456"], id="one too many, spaced"),
        pytest.param("3806-7123-4567", ["380671234567"], id="missing, and also like a phone number"),
        pytest.param("482133451234", ["482133451234"], id="plain, one missing"),
        pytest.param("4821-3345-12345 4821-3345-1234", ["4821334512345", "482133451234"], id="beside a code"),
        pytest.param("7K3AC-DEFH", ["7K3ACDEFH"], id="letters, one missing"),
        pytest.param("7 K 3 A C D E F H", ["7K3ACDEFH"], id="letters, one missing, spelt"),
        pytest.param("ACDEF-HJKMN", ["ACDEFHJKMN"], id="letters, the only digit mistyped"),
    ],
)
def test_almost_a_code_is_a_candidate(text: str, expected: list[str]) -> None:
    assert expected == symbols(text)


@pytest.mark.parametrize(
    "text",
    [
        "+380 67 123 45 67", "067-123-45-67, (050) 765-43-21", "8 (701) 123-45-67", "00380671234567",
        "+447911123456", "1.12.2026 10:30:45", "2026-12-31", "карта 4149 4990 1234 5678", "4821 3345",
        "UA213223130000026007233566001", "там мне 3 как", "never-never land", "can we meet at 3",
        "ул. Абая 150, кв 22, 050000", "🎉" * 40,
    ],
)  # fmt: skip
def test_no_code(text: str) -> None:
    result = read_text(text, BOTH)
    assert (result.candidates, result.intents) == ((), ())


@pytest.mark.parametrize(
    ("text", "intents"),
    [
        pytest.param("CTOП", "stop", id="stop in mixed scripts"),
        pytest.param("СТОП ВСЕ", "stop", id="stop all"),
        pytest.param("STOP Cola", "stop", id="stop one firm"),
        pytest.param("стоп?", "stop", id="stop, with a doubt"),
        pytest.param("Надоели! СТОП!", "stop", id="stop as a sentence"),
        pytest.param("please stop texting me", "stop", id="stop in english words"),
        pytest.param("don't call me anymore", "stop", id="do not call"),
        pytest.param("Do not text me", "stop", id="do not text"),
        pytest.param("больше не присылайте смс", "stop", id="no more, russian"),
        pytest.param("не надо мне звонить", "stop", id="no calls, russian"),
        pytest.param("відпишіть мене будь ласка", "stop", id="ukrainian, polite"),
        pytest.param("не турбуйте", "stop", id="do not disturb, ukrainian"),
        pytest.param("хабарлама жібермеңіз", "stop", id="do not send, kazakh"),
        pytest.param("START STOP", "stop", id="both means no"),
        pytest.param("стоп баланс", "stop balance", id="two wishes"),
        pytest.param("Сколько баллов?", "balance", id="a question for the balance"),
        pytest.param("мой псевдоним", "alias", id="my alias"),
        pytest.param("лақап ат", "alias", id="alias, kazakh"),
        pytest.param("NEW ALIAS", "new_alias", id="new alias"),
        pytest.param("i want a new alias", "", id="new alias with a word that is no filling"),
        pytest.param("I want new alias please!", "new_alias", id="new alias, polite"),
        pytest.param("НОВЫЙ ПСЕВДОНИМ", "new_alias", id="new alias, russian"),
        pytest.param("Хочу новый псевдоним, пожалуйста", "new_alias", id="new alias, russian, polite"),
        pytest.param("смените мой псевдоним", "", id="change my alias, with a word amid the phrase"),
        pytest.param("поменяйте псевдоним", "new_alias", id="change the alias, russian"),
        pytest.param("НОВИЙ ПСЕВДОНІМ", "new_alias", id="new alias, ukrainian"),
        pytest.param("HOBИЙ ПCEBДOHIM", "new_alias", id="new alias in mixed scripts"),
        pytest.param("Змініть псевдонім, будь ласка", "new_alias", id="change the alias, ukrainian"),
        pytest.param("ЖАҢА ЛАҚАП АТ", "new_alias", id="new alias, kazakh"),
        pytest.param("маған жаңа лақап ат", "new_alias", id="new alias, kazakh, polite"),
        pytest.param("новый псевдоним стоп", "new_alias stop", id="new alias and a stop"),
        pytest.param("псевдоним. новый псевдоним", "alias new_alias", id="both"),
        pytest.param("новый код", "", id="new something else"),
        pytest.param("шақыру", "invite", id="invite, kazakh"),
        pytest.param("??", "help", id="question marks"),
        pytest.param("YES", "yes", id="yes"),
        pytest.param("не знаю, пишите мне", "", id="not a refusal"),
        pytest.param("Мне не пришло смс", "", id="a complaint"),
        pytest.param("почему не пишете?", "", id="a question"),
        pytest.param("the end", "", id="end is no lead"),
        pytest.param("Старт акции", "", id="start of something"),
        pytest.param("start?", "", id="consent is not given by a question"),
        pytest.param("no sms received", "", id="a complaint in english"),
    ],
)
def test_intents(text: str, intents: str) -> None:
    assert tuple(Intent(i) for i in intents.split()) == read_text(text, BOTH).intents


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Мій код 4821-3345-12345", "uk"), ("дякую 4821-3345-12345", "uk"), ("бали", "uk"), ("Їжа", "uk"),
        ("Вот код 4821-3345-12345", "ru"), ("баллы", "ru"), ("крышы", "ru"), ("помощь", "ru"),
        ("новый псевдоним", "ru"), ("новий псевдонім", "uk"), ("new alias", "en"),
        ("рахмет", "kk"), ("Менің кодым 4821-3345-12345", "kk"), ("көмек", "kk"),
        ("my code 4821-3345-12345", "en"), ("balance", "en"),
        ("Код 4821-3345-12345", None), ("СТОП", None), ("STOP", None), ("баланс", None), ("👍", None),
        ("4821-3345-12345", None), ("7К3АС-DЕFН9", None),
    ],
)  # fmt: skip
def test_language(text: str, language: str | None) -> None:
    assert language == read_text(text, BOTH).language


def test_only_forms_that_are_taken_are_read() -> None:
    assert symbols("7K3AC-DEFH9", DIGITS) == []
    assert symbols("4821-3345-12345", LETTERS) == []
    assert list(read_text("4821-3345-12345", ()).candidates) == []


def test_several_lengths_of_an_alphabet() -> None:
    forms = [DIGITS, CodeForm(alphabet="digits", length=15)]
    long = printed("482133451234567")
    assert symbols(f"{long} 4821-3345-12345", *forms) == ["482133451234567", "4821334512345"]


def test_too_many_codes_are_counted() -> None:
    codes = [f"{n:013}" for n in range(4_821_334_512_345, 4_821_334_512_370)]
    result = read_text(" ".join(codes), BOTH, max_candidates=20)
    assert codes[:20] == [c.symbols for c in result.candidates]
    assert result.clipped == 5


@pytest.mark.parametrize("letters", [MAX_TEXT - 16, MAX_TEXT - 8, MAX_TEXT, 5_000, 32_000])
@pytest.mark.parametrize("typed", ["4821-3345-12345", "4821 3345 12345", "4821334512345"])
def test_a_code_at_the_end_of_a_long_text_is_found(letters: int, typed: str) -> None:
    assert symbols("слово " * (letters // 6) + typed) == ["4821334512345"]
    assert symbols("а" * letters + " " + typed) == ["4821334512345"]


def test_a_code_as_printed_is_found_anywhere() -> None:
    for before in range(1_500, 2_100, 7):
        text = "слово " * (before // 6) + "4821-3345-12345 " + "слово " * 500
        assert symbols(text) == ["4821334512345"], before


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("48213345123454821334512346", ["4821334512345", "4821334512346"]),
        ("4821-3345-123454821-3345-12346", ["4821334512345", "4821334512346"]),
        ("48213345123454821-3345-12346", ["4821334512345", "4821334512346"]),
        ("7K3AC-DEFH97K3AC-DEFH4", ["7K3ACDEFH9", "7K3ACDEFH4"]),
        ("7к3асdеfн97k3acdefh4", ["7K3ACDEFH9", "7K3ACDEFH4"]),
        ("код48213345123454821334512346спасибо", ["4821334512345", "4821334512346"]),
        ("7K3ACDEFH94821334512345", ["7K3ACDEFH9", "4821334512345"]),
        ("вот 482133451234548213345123464821334512347!", [f"482133451234{n}" for n in (5, 6, 7)]),
    ],
)
def test_codes_that_run_together_are_offered_and_nothing_else_is_taken_for_a_code(
    text: str, codes: list[str]
) -> None:
    result = read_text(text, BOTH)
    assert result.candidates == ()
    assert codes in [[c.symbols for c in way] for ways in result.joined for way in ways]
    assert result.intents == ()


@pytest.mark.parametrize(
    "text",
    ["4821334512345-4821334512346", "4821-3345-12345 4821-3345-12346", "4821334512345", "1" * 27, "a" * 40],
)
def test_what_has_a_separator_or_another_length_is_no_row(text: str) -> None:
    assert read_text(text, BOTH).joined == ()


ALPHABET = st.sampled_from("0123456789 -.,+|()/\n?!OОоlІЗзACDEFачмнеСТОП\u200b\ufeff\u0664\uff14\ud800🎉")
ANY_TEXT = st.one_of(
    st.text(), st.text(ALPHABET, max_size=80), st.text(st.characters(categories=["Cs", "Nd"]))
)


@given(ANY_TEXT)
@example("|" * 50)
@example("- - - 1 - 1")
def test_any_text_is_read(text: str) -> None:
    result = read_text(text, BOTH, max_candidates=3)
    assert len(result.candidates) <= 3
    assert len(set(result.candidates)) == len(result.candidates)
    for candidate in result.candidates:
        assert set(candidate.symbols) <= set(ALPHABETS[candidate.alphabet].symbols)


def issued(form: CodeForm) -> st.SearchStrategy[Candidate]:
    """Codes as they are issued: those of letters have a digit, and are not digits alone."""
    typed = st.text(ALPHABETS[form.alphabet].symbols, min_size=form.length, max_size=form.length)
    if form.alphabet == "letters":
        typed = typed.filter(lambda s: not (s.isalpha() or s.isdigit()))
    return st.builds(Candidate, alphabet=st.just(form.alphabet), symbols=typed)


ISSUED = issued(DIGITS) | issued(LETTERS)
SOME_WORDS = [
    "Код",
    "код:",
    "Мій",
    "дякую,",
    "привет!",
    "PROMO",
    '"my"',
    "№",
    "🎉",
    "«",
    ")",
    "стоп",
    "о",
    "з",
]
WORDS = st.lists(st.sampled_from(SOME_WORDS), max_size=5).map(" ".join)


@given(ISSUED, WORDS, WORDS, st.sampled_from(["", "-", " ", ".", "\u2013", "\u00a0", "\n", "/", ", "]))
def test_a_code_among_words_is_found(code: Candidate, before: str, after: str, separator: str) -> None:
    typed = printed(code.symbols).replace("-", separator)
    assert (code,) == read_text(f"{before} {typed} {after}", BOTH).candidates


@given(ISSUED, ANY_TEXT, ANY_TEXT)
def test_the_quick_way_reads_what_the_thorough_way_reads(code: Candidate, before: str, after: str) -> None:
    text = f"{before}{printed(code.symbols)}{after}"[:MAX_TEXT]
    plan = reading._plan(BOTH)
    assert reading._weighed(clean(text), plan, 20) == read_text(text, BOTH)


@given(ISSUED)
def test_a_code_never_reads_as_a_word(code: Candidate) -> None:
    assert read_text(code.symbols, BOTH).intents == ()


@pytest.mark.parametrize(
    "unit",
    ["1 ", "1-", "1234-", "o", "не ", "мама ", "?!", " ", "+7 ", "a1-", "067 123 45 67 ", "|", "\u200b"],
)  # fmt: skip
def test_the_longest_text_is_read_soon(unit: str) -> None:
    text = (unit * MAX_TEXT)[: 40 * MAX_TEXT]
    began = time.process_time()
    read_text(text, BOTH)
    assert time.process_time() - began < 0.5  # 15 ms are usual; a quadratic step takes seconds
