"""The words that shoppers use, as data: one table an intent, each phrase with the languages that it tells.

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
    HELP = "help"
    ALIAS = "alias"
    BALANCE = "balance"
    INVITE = "invite"


# A text, or a sentence of it, that is one of these phrases and polite filling means that.
# Languages: a word that several share tells none of them apart, so it names each.
PHRASES: Final[Mapping[Intent, Mapping[str, str]]] = MappingProxyType(
    {
        Intent.STOP: {
            "en": "stop|stopall|stop all|unsubscribe|unsubscribe me|cancel|end|quit|revoke|optout|opt out|remove"
            "|remove me|stop sms|no more|no more sms|no more messages|no more texts|leave me alone|td|arret",
            "ru": "отписка|отписаться|отпишись|отпишите|отпиши|отписать|отпишитесь|отказываюсь|отмена|хватит"
            "|прекратите|прекрати|отвалите|отстаньте|уберите|удалите|отключите рассылку|отключить рассылку"
            "|отключите смс|отключить смс|отключите|отключить|отвяжитесь|не надо|не хочу|достали",
            "uk": "відмова|відписка|відписатися|відписатись|відпишіть|відпиши|відписати|відмовляюсь|відмовляюся"
            "|скасувати|досить|припиніть|годі|видаліть|вимкніть|вимкнути розсилку|вимкніть розсилку"
            "|вимкнути смс|відчепіться|не треба|не хочу",
            "kk": "тоқта|тоқтат|тоқтатыңыз|тоқтату|бас тарту|бас тартамын|керек емес|керегі жоқ|жазбаңыз"
            "|жазбаңыздар|жібермеңіз|жібермеңіздер|мазаламаңыз|мазаламаңыздар|жазылудан шығу|қоңырау шалмаңыз",
            "ru uk": "стоп|стоп все|стоп смс|отказ",
        },
        Intent.START: {
            "en": "start|yes|unstop|subscribe|opt in|optin",
            "ru": "подписаться|подписка|подпишите|подписать",
            "uk": "підписатися|підписатись|підписка|підпишіть",
            "kk": "бастау|жазылу|баста",
            "ru uk": "старт",
        },
        Intent.HELP: {
            "en": "help|info|how does it work",
            "ru": "помощь|помогите|помоги|справка|правила|инструкция|команды",
            "uk": "допомога|допоможіть|довідка|правила|інструкція|команди",
            "kk": "көмек|көмектесіңіз|анықтама|ереже",
            "ru uk": "инфо|хелп",
        },
        Intent.ALIAS: {
            "en": "alias|nickname",
            "ru": "псевдоним",
            "uk": "псевдонім",
            "kk": "лақап ат|лақап атым|бүркеншік ат|бүркеншік есім",
        },
        Intent.BALANCE: {
            "en": "balance|points|how many points",
            "ru": "баллы|балы|баллов|балл|сколько баллов|сколько у меня баллов|очки",
            "uk": "бали|балів|скільки балів|скільки у мене балів|рахунок",
            "kk": "ұпай|ұпайлар|ұпайым|ұпайларым|қанша ұпай|теңгерім|менің ұпайларым|балл саны",
            "ru uk kk": "баланс",
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
STOP_LEAD_WORDS: Final = 4  # in all; a longer sentence is a conversation

# A refusal in free words: negation, then nothing but words of the second list, then a word of the third;
# or a word of the third, where it has no other meaning, alone (`REFUSED` in the languages that negate inside).
NEGATIONS: Final = "не|ни|нет|no|dont|not|never|ніколи|никогда|досить|хватит|прекратите|перестаньте|припиніть"
BETWEEN: Final = (
    "мне|нам|меня|нас|больше|пожалуйста|смс|сюда|надо|нужно|нада|хочу|прошу|смейте|ваши|эти|свои|более|уже"
    "|мені|мене|більше|треба|потрібно|хочу|будь|ласка|сюди|прошу|ваші|ці|want|to|you|your|please|any|more|ever"
)
REFUSED: Final = (
    "пишите|пиши|писать|присылайте|присылай|присылать|шлите|шли|слать|высылайте|отправляйте|отправлять|звоните"
    "|звони|звонить|беспокойте|беспокоить|спамьте|спамить|спам|тревожьте|надоедайте|получать|рассылку|рассылки"
    "|пишіть|писати|надсилайте|надсилай|надсилати|шліть|слати|відправляйте|дзвоніть|дзвонити|турбуйте|турбувати"
    "|отримувати|розсилку|розсилки|text|texts|write|send|message|messages|call|contact|disturb|bother|spam|sms"
)

# Politeness and the like: taken away before a sentence is compared.
FILLING: Final = (
    "пожалуйста|плиз|спасибо|привет|здравствуйте|добрый|доброе|день|вечер|утро|смс|мой|мои|моя|моё|мне|меня|вот"
    "|код|промокод|все|всё|у|и|хочу|покажите|мій|мої|моя|мені|мене|ласка|будь|дякую|привіт|вітаю|доброго|дня|добрий"
    "|усе|всі|і|й|та|рахмет|сәлем|сәлеметсіз|бе|менің|маған|өтінемін|please|pls|plz|thanks|thank|you|hello|hi|hey"
    "|sms|my|me|code|all|the|and|want|i|for|to"
)

# Words that tell a language where its letters do not.
TELLING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ru": "привет|спасибо|здравствуйте|пожалуйста|мой|мои|вот|и|что|как|где|не|это|с|крышки|крышка|добрый|день"
        "|когда|почему|нет|больше|мне|меня|пишите|можно|или|только",
        "uk": "привіт|дякую|вітаю|будь|ласка|що|де|чому|коли|мене|кришки|добрий|з|та|це|немає|більше|або",
        "kk": "рахмет|сәлем|менің|маған|бар|жоқ|қайда|қашан|неге|және|мен|сіз|бұл|кодым",
        "en": "hello|hi|please|thanks|thank|my|the|is|code|how|when|where|what|why|and|you|me|not|this|from|it|do",
    }
)
