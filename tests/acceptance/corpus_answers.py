"""What the shopper of each line of the corpus must read, word for word.

A code of digits is worth 2 points in a Ukrainian campaign, one of letters 21 points in a Russian one, so that
the plurals of one, few and many all occur.
"""

from __future__ import annotations

from typing import Final

from tests.corpus import Line

POINTS: Final = {"digits": 2, "letters": 21}

# Lines whose own words tell their language. The other ones are answered in that of the campaign whose code it
# is; without such a code, in that of the firm's newest campaign, the Ukrainian one.
_LANGUAGES: Final = {
    "uk": "d008 k009 k019 k022 k027 k059 k060 k070",
    "ru": "d022 d039 l018 k007 k008 k012 k018 k021 k026 k031 k033 k036 k056 k057 k058 k071",
    "kk": "k013 k020 k061 k072 k073 k075",
    "en": "d009 k010 k016 k017 k023 k025 k034 k047 k049 k050 k051 k052 k053 k055 k074",
}
LANGUAGE: Final = {line: language for language, lines in _LANGUAGES.items() for line in lines.split()}
_NO_CAMPAIGN: Final = {"invalid", "unknown"}

# {day}: today; {start}: when the campaign begins; {alias}: nine digits in groups; {time}: the limit's end.
ANSWERS: Final[dict[tuple[str, str, str], str]] = {
    ("digits", "uk", "activated"): "Код прийнято: +2 бали. Баланс: 2.",
    ("digits", "uk", "activated:2"): "Прийнято: 2 коди, +4 бали. Баланс: 4.",
    ("digits", "uk", "activated:3"): "Прийнято: 3 коди, +6 балів. Баланс: 6.",
    ("digits", "uk", "activated,invalid"): "Прийнято: 1 код, +2 бали. Не знайдено: 1 код. Баланс: 2.",
    ("digits", "uk", "activated,ended"): "Прийнято: 1 код, +2 бали. Акцію завершено: 1 код. Баланс: 2.",
    ("digits", "uk", "activated,opt_out"): "Код прийнято: +2 бали. Баланс: 2. "
    "Розсилку вимкнено. Ми більше не надсилатимемо вам рекламу.",
    ("digits", "uk", "already_used"): "Цей код уже використано.",
    ("digits", "uk", "already_yours"): "Цей код уже зараховано вам {day}.",
    ("digits", "uk", "invalid"): "Такого коду немає. Перевірте його та надішліть ще раз.",
    ("digits", "uk", "not_started"): "Акція почнеться {start}. Збережіть код до цього дня.",
    ("digits", "uk", "ended"): "Акцію завершено, код не зараховано.",
    ("digits", "uk", "paused"): "Акцію призупинено. Код дійсний, надішліть його пізніше.",
    ("digits", "uk", "limited"): "Забагато спроб. Код дійсний, надішліть його після {time}.",
    ("digits", "uk", "unknown"): "Не зрозуміли вас. Надішліть код або слово ДОПОМОГА.",
    ("digits", "uk", "opt_out"): "Розсилку вимкнено. Ми більше не надсилатимемо вам рекламу.",
    ("digits", "uk", "opt_in"): "Пропозиції в SMS ввімкнено, без дзвінків. Відмова: СТОП.",
    ("digits", "uk", "help"): "Надішліть код з-під кришки. Або слово: БАЛАНС, ПСЕВДОНІМ, СТОП.",
    ("digits", "uk", "alias"): "Ваш псевдонім: {alias}. Назвіть його на касі.",
    ("digits", "uk", "balance"): "Ваш баланс: 0 балів.",
    ("letters", "uk", "invalid"): "Такого коду немає. Перевірте його та надішліть ще раз.",
    ("digits", "ru", "activated"): "Код принят: +2 балла. Баланс: 2.",
    ("letters", "ru", "activated"): "Код принят: +21 балл. Баланс: 21.",
    ("letters", "ru", "activated:2"): "Принято: 2 кода, +42 балла. Баланс: 42.",
    ("letters", "ru", "already_used"): "Этот код уже использован.",
    ("letters", "ru", "already_yours"): "Этот код уже засчитан вам {day}.",
    ("letters", "ru", "invalid"): "Такого кода нет. Проверьте его и пришлите ещё раз.",
    ("letters", "ru", "unknown"): "Не поняли вас. Пришлите код с крышки или слово ПОМОЩЬ.",
    ("digits", "ru", "unknown"): "Не поняли вас. Пришлите код с крышки или слово ПОМОЩЬ.",
    ("digits", "ru", "opt_out"): "Рассылка отключена. Мы больше не пришлём вам рекламу.",
    ("digits", "ru", "help"): "Пришлите код с крышки. Или слово: БАЛАНС, ПСЕВДОНИМ, СТОП.",
    ("digits", "ru", "alias"): "Ваш псевдоним: {alias}. Назовите его на кассе.",
    ("digits", "ru", "balance"): "Ваш баланс: 0 баллов.",
    ("digits", "ru", "invite"): "Приглашения друзей появятся позже.",
    ("digits", "kk", "activated"): "Код қабылданды: +2 ұпай. Баланс: 2.",
    ("digits", "kk", "unknown"): "Түсінбедік. Қақпақтағы кодты не КӨМЕК сөзін жіберіңіз.",
    ("digits", "kk", "opt_out"): "Хабарлама өшірілді. Енді сізге жарнама жібермейміз.",
    ("digits", "kk", "help"): "Қақпақтағы кодты не сөзді жіберіңіз: БАЛАНС, ЛАҚАП АТ, ТОҚТА.",
    ("digits", "en", "activated"): "Code accepted: +2 points. Balance: 2.",
    ("digits", "en", "unknown"): "Sorry, we did not understand. Send the code from under the cap, or HELP.",
    ("digits", "en", "opt_out"): "You are unsubscribed. We will not send you any more offers.",
    (
        "digits",
        "en",
        "opt_in",
    ): "You are subscribed to our offers by SMS, not by calls. To opt out, send STOP.",
    ("digits", "en", "help"): "Send the code from under the cap. Or a word: BALANCE, ALIAS, STOP.",
    ("digits", "en", "alias"): "Your alias: {alias}. Say it at the till.",
    ("digits", "en", "balance"): "Your balance: 0 points.",
    ("digits", "en", "invite"): "Inviting friends will come later.",
}


def answer_to(line: Line) -> str:
    """The answer with its placeholders."""
    of_campaign = "ru" if line.series == "letters" and not _of_no_campaign(line) else "uk"
    return ANSWERS[line.series, LANGUAGE.get(line.id, of_campaign), line.outcome]


def _of_no_campaign(line: Line) -> bool:
    return line.outcome in _NO_CAMPAIGN and "voided" not in line.placeholders
