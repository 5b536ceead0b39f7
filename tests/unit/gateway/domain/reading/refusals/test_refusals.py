"""What people text to be left alone, measured: the list in `tests/data`, what is quoted, any text at all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.codes.alphabet import clean
from gateway.domain.codes.candidate import CodeForm
from gateway.domain.reading.own_words import own_words
from gateway.domain.reading.reading import Intent, read_text

DATA = Path(__file__).parents[5] / "data"
FORMS = (CodeForm(alphabet="digits", length=13), CodeForm(alphabet="letters", length=10))
HOME = ("uk", "ru", "kk", "en")
OFFERS = {
    "en": "10 points at Cola! STOP to refuse",
    "ru": "10 баллов в Cola! Отказ: СТОП",
    "uk": "10 балів у Cola! Відмова: СТОП",
    "kk": "Cola 10 ұпай береді! Бас тарту: ТОҚТА",
}


def phrases(name: str) -> list[tuple[str, str, str, str]]:
    """Phrase, language, stop or not, and why."""
    rows = (line.split("\t") for line in (DATA / name).read_text(encoding="utf-8").split("\n"))
    return [(row[0], row[1], row[2], row[3]) for row in rows if len(row) == 4 and not row[0].startswith("#")]


LISTED = phrases("refusals.tsv")
BLIND = phrases("refusals-blind.tsv")  # written without sight of the other list and of the rules
BLIND_FLOOR = 0.9


def heard(text: str) -> bool:
    return Intent.STOP in read_text(text, FORMS).intents


def test_the_list_is_whole() -> None:
    count = Counter((language, expected) for _, language, expected, _ in LISTED)
    assert all(count[language, expected] >= 35 for language in HOME for expected in ("stop", "not"))
    assert sum(n for (_, expected), n in count.items() if expected == "stop") >= 170
    assert sum(n for (_, expected), n in count.items() if expected == "not") >= 150


@pytest.mark.parametrize(("phrase", "expected", "why"), [(p, e, w) for p, _, e, w in LISTED])
def test_a_listed_phrase(phrase: str, expected: str, why: str) -> None:
    assert (expected == "stop") == heard(phrase), why
    assert (expected == "stop") == heard(phrase.upper() if phrase.isalpha() else phrase), why


def test_what_was_written_blind_is_mostly_right() -> None:
    right = [(expected == "stop") == heard(phrase) for phrase, _, expected, _ in BLIND]
    assert len(right) == 110
    assert sum(right) >= BLIND_FLOOR * len(right)


@pytest.mark.parametrize(("phrase", "expected", "why"), [(p, e, w) for p, _, e, w in BLIND])
def test_a_phrase_that_was_written_blind(phrase: str, expected: str, why: str) -> None:
    assert (expected == "stop") == heard(phrase), why


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ne dzvonit meni", "stop"), ("bolshe ne pishite mne", "stop"), ("udalite moy nomer iz bazy", "stop"),
        ("ne prishlo sms", "not"), ("отстаньте уже с этим", "stop"), ("не могу отписаться", "stop"),
        ("I can't unsubscribe", "stop"), ("can't stop winning", "not"), ("not interested in the mug", "not"),
        ("not interested in your offers", "stop"), ('внук написал "стоп", не отписывайте', "not"),
    ],
)  # fmt: skip
def test_the_kinds_that_were_missed_at_first(text: str, expected: str) -> None:
    assert (expected == "stop") == heard(text)


@pytest.mark.parametrize("offer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize(
    "quoting",
    [
        "Liked “{}”", "Loved “{}”", "Disliked “{}”", "Laughed at “{}”", "Emphasized “{}”",
        "Questioned “{}”",
        "Reacted 👍 to “{}”", "Removed a like from “{}”", "Removed 👍 from “{}”", "👍 to “{}”",
        "\u200a\u200b👍\u200b to “\u200a{}\u200a”\u200a",
        "❤️ removed from “{}”", "Понравилось «{}»", "Не понравилось «{}»", "Вподобано «{}»",
        "Сподобалось «{}»",
        "Ұнады «{}»", "Реакция 👍 на «{}»", "Реакція ❤️ на «{}»", "Отметка «Нравится» для «{}»",
        "Le gustó “{}”", "A aimé « {} »", "Hat „{}“ mit „Gefällt mir“ markiert", "Polubiono „{}”",
        'Liked "{}"', "Liked “{}", "> {}", "Fwd: {}", "Пересланное сообщение\n{}", "смотри что пришло: «{}»",
        "{}", "«{}»", "смотри\n{}",
    ],
)  # fmt: skip
def test_our_own_wording_quoted_is_no_word_of_the_person(quoting: str, offer: str) -> None:
    assert read_text(quoting.format(offer), FORMS).intents == ()


@pytest.mark.parametrize("ours", ["STOP to refuse", "Отказ: СТОП", "«СТОП»", '"STOP ALL"', "Reply STOP"])
def test_how_to_refuse_alone_is_what_somebody_copies_who_refuses(ours: str) -> None:
    assert read_text(ours, FORMS).intents == (Intent.STOP,)


@pytest.mark.parametrize(
    ("added", "intents"),
    [
        ("STOP", [Intent.STOP]), ("баланс", [Intent.BALANCE]), ("не пишите мне больше", [Intent.STOP]),
        ("ok 4821-3345-12345", []),
    ],
)  # fmt: skip
def test_what_he_adds_himself_counts(added: str, intents: list[Intent]) -> None:
    for text in (
        f"“{OFFERS['en']}” {added}",
        f"{added}\n> {OFFERS['ru']}",
        f"Liked “{OFFERS['en']}” {added}",
    ):
        result = read_text(text, FORMS)
        assert intents == list(result.intents), text
        assert ("4821" in added) == bool(result.candidates), text


ANY = st.one_of(
    st.text(),
    st.text(st.sampled_from("“”«»\"'‘’„> \n:stopСТОПнеhLiked👍-"), max_size=200),
    st.lists(st.sampled_from([p for p, _, _, _ in LISTED]), max_size=6).map(" ".join),
)


@given(ANY)
def test_any_text_is_heard(text: str) -> None:
    read_text(text, FORMS)
    assert len(own_words(clean(text))) <= len(clean(text))
