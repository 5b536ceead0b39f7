"""The words that shoppers use, as data: one table an intent, each phrase with the language that it tells.

Phrases are in plain spelling, lower case, without punctuation; matching folds look-alikes, so СТОП typed with
Latin letters is the same word. Sources: CTIA messaging principles for English, usage for the home languages.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Intent(StrEnum):
    """What a text asks for beside its codes."""

    STOP = "stop"
    START = "start"
    YES = "yes"
    HELP = "help"
    ALIAS = "alias"
    NEW_ALIAS = "new_alias"
    BALANCE = "balance"
    INVITE = "invite"


# A text, or a sentence of it, that is one of these phrases and polite filling means that.
# Under "" is what people of every language type, so it tells none.
PHRASES: Final[Mapping[Intent, Mapping[str, str]]] = MappingProxyType(
    {
        Intent.STOP: {
            "": "stop|stopall|stop all|stop sms|стоп|стоп все|стоп смс|отказ",
            "en": "unsubscribe|cancel|end|quit|revoke|optout|opt out|remove|remove me|no more|no sms|no spam"
            "|no messages|no texts|no more sms|no more messages|no more texts|leave me alone|td|arret",
            "ru": "отписка|отписаться|отпишись|отпишите|отпиши|отписать|отпишитесь|отказываюсь|отмена|хватит"
            "|отказ от рассылки|отказаться от рассылки|прекратите|прекрати|отвалите|отстаньте|отвяжитесь"
            "|уберите|удалите|отключите|отключить|отключить рассылку|не надо|не хочу|достали",
            "uk": "відмова|відмова від розсилки|відмовитися|відписка|відписатися|відписатись|відпишіть"
            "|відпиши|відписати|відмовляюсь|відмовляюся|скасувати|досить|припиніть|годі|видаліть|вимкніть"
            "|вимкнути розсилку|відчепіться|не треба",
            "kk": "тоқта|тоқтат|тоқтатыңыз|тоқтату|бас тарту|бас тартамын|керек емес|керегі жоқ|жазбаңыз"
            "|жазбаңыздар|жібермеңіз|жібермеңіздер|мазаламаңыз|мазаламаңыздар|жазылудан шығу"
            "|қоңырау шалмаңыз",
        },
        Intent.START: {
            "": "start|старт",
            "en": "unstop|subscribe|opt in|optin",
            "ru": "подписаться|подпишите|подписать",
            "uk": "підписатися|підписатись|підписка|підпишіть",
            "kk": "бастау|баста|жазылу",
        },
        # Alone, from somebody whom a firm has asked; to anybody else it is nothing, in every language.
        Intent.YES: {"en": "yes", "uk": "так", "ru": "да", "kk": "иә"},
        Intent.HELP: {
            "": "info|инфо|хелп",
            "en": "help|how does it work",
            "ru": "помощь|помогите|помоги|справка|инструкция|команды",
            "uk": "допомога|допоможіть|довідка|інструкція|команди",
            "kk": "көмек|көмектесіңіз|анықтама",
        },
        Intent.ALIAS: {
            "en": "alias|nickname",
            "ru": "псевдоним",
            "uk": "псевдонім",
            "kk": "лақап ат|лақап атым|бүркеншік ат|бүркеншік есім",
        },
        Intent.NEW_ALIAS: {
            "en": "new alias|new nickname|change alias|another alias",
            "ru": "новый псевдоним|другой псевдоним|сменить псевдоним|смените псевдоним|поменять псевдоним"
            "|поменяйте псевдоним|изменить псевдоним",
            "uk": "новий псевдонім|інший псевдонім|змінити псевдонім|змініть псевдонім|поміняти псевдонім"
            "|поміняйте псевдонім",
            "kk": "жаңа лақап ат|жаңа лақап атым|басқа лақап ат|лақап атты ауыстыру|жаңа бүркеншік ат"
            "|жаңа бүркеншік есім",
        },
        Intent.BALANCE: {
            "": "баланс",
            "en": "balance|points|how many points",
            "ru": "баллы|балы|баллов|балл|сколько баллов|сколько у меня баллов|очки",
            "uk": "бали|балів|скільки балів|скільки у мене балів",
            "kk": "балансым|ұпай|ұпайлар|ұпайым|ұпайларым|қанша ұпай|теңгерім",
        },
        Intent.INVITE: {
            "en": "invite|invite friend",
            "ru": "пригласить|приглашаю|приглашение|пригласи|пригласить друга",
            "uk": "запросити|запрошую|запрошення|запроси|запросити друга",
            "kk": "шақыру|шақырамын|досты шақыру",
        },
    }
)

# "STOP Cola", "отпишите меня от всего": these withdraw consent with a few words after them, too.
# Not so `end`, `cancel`, `отказ`: with other words after them they are about something else.
STOP_LEADS: Final = (
    "stop|stopall|unsubscribe|optout|стоп|отпишите|отпиши|отписать|отписаться|отписка|отказываюсь|прекратите"
    "|отключите|уберите|удалите|відпишіть|відпиши|відписати|відписатися|відмовляюсь|відмовляюся|припиніть"
    "|видаліть|вимкніть|тоқта|тоқтат|тоқтатыңыз"
)
STOP_LEAD_WORDS: Final = 4  # filling not counted; a longer sentence is a conversation

# A refusal in free words: a negation, then nothing but words of the second list, then one of the third.
NEGATIONS: Final = "не|нет|dont|ніколи|никогда|досить|хватит|прекратите|перестаньте|припиніть"
BETWEEN: Final = (
    "мне|нам|меня|нас|больше|пожалуйста|смс|сюда|надо|нужно|нада|хочу|прошу|смейте|ваши|эти|свои|более|уже"
    "|мені|мене|більше|треба|потрібно|хочу|будь|ласка|сюди|ваші|ці|want|to|you|your|please|any|more|ever"
)
REFUSED: Final = (
    "пишите|пиши|писать|присылайте|присылай|присылать|шлите|шли|слать|высылайте|отправляйте|отправлять"
    "|звоните|звони|звонить|беспокойте|беспокоить|спамьте|спамить|тревожьте|надоедайте|получать|рассылку"
    "|рассылки|участвовать|пишіть|писати|надсилайте|надсилай|надсилати|шліть|слати|відправляйте|дзвоніть"
    "|дзвонити|турбуйте|турбувати|отримувати|розсилку|розсилки"
    "|text|write|send|message|call|contact|disturb|bother|spam|receive"
)

# Politeness and the like: taken away before a sentence is compared.
FILLING: Final = (
    "пожалуйста|плиз|спасибо|привет|здравствуйте|добрый|доброе|день|вечер|утро|смс|мой|мои|моя|моё|мне|меня"
    "|вот|код|промокод|все|всё|у|и|хочу|покажите|мій|мої|моя|мені|мене|ласка|будь|дякую|привіт|вітаю|доброго"
    "|дня|усе|всі|і|й|та|рахмет|сәлем|сәлеметсіз|бе|менің|маған|өтінемін|хабарлама|хат|жарнама"
    "|please|pls|plz|thanks|thank|you|hello|hi|hey|sms|my|me|code|all|and|want|i|to"
)

# Words that tell a language where its letters do not; those of the phrases above count as well.
TELLING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ru": "привет|спасибо|здравствуйте|пожалуйста|мой|мои|вот|и|что|как|где|это|с|крышки|крышка|добрый"
        "|день|когда|почему|нет|больше|мне|меня|пишите|можно|или|только",
        "uk": "дякую|вітаю|будь|ласка|що|де|чому|коли|мене|кришки|з|та|це|немає|або|турбуйте|надсилайте",
        "kk": "рахмет|сәлем|менің|маған|бар|жоқ|қайда|қашан|неге|және|мен|сіз|бұл|кодым",
        "en": "hello|hi|please|thanks|thank|my|the|is|code|how|when|where|what|why|you|me|not|this|from|it",
    }
)
