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
    AGREED = "agreed"  # by a key in a call: no text says it, so that it has no phrases


# A text, or a sentence of it, that is one of these phrases and polite filling means that.
# Under "" is what people of every language type, so it tells none.
PHRASES: Final[Mapping[Intent, Mapping[str, str]]] = MappingProxyType(
    {
        Intent.STOP: {
            "": "stop|stopall|stop all|stop sms|стоп|стоп все|стоп смс|отказ",
            "en": "unsubscribe|cancel|end|quit|revoke|optout|opt out|remove|remove me|no more|no sms"
            "|no spam|no messages|no texts|not interested|no longer interested|im out|not for me|no need"
            "|no more sms|no more messages|no more texts|leave me alone|td|arret",
            "ru": "отписка|отписаться|отпишись|отпишите|отпиши|отписать|отпишитесь|отказываюсь"
            "|спасибо не надо|не нужно|отмена|хватит|отказ от рассылки|отказаться от рассылки|прекратите"
            "|прекрати|отвалите|отстаньте|отвяжитесь|уберите|удалите|отключите|отключить"
            "|отключить рассылку|не надо|не хочу|достали|надоели|неинтересно|не интересно|не интересует"
            "|нет рекламе|нет спаму|нет рассылке|нет рассылкам|нет звонкам|я против|против|отказаться"
            "|снимите|вычеркните|отвали|отстань|отцепитесь|отъебитесь|идите нахер|довольно",
            "uk": "відмова|відмова від розсилки|відмовитися|відписка|відписатися|відписатись|відпишіть"
            "|відпиши|відписати|відмовляюсь|відмовляюся|скасувати|досить|припиніть|годі|видаліть|вимкніть"
            "|вимкнути розсилку|відчепіться|не треба|дякую не треба|не потрібно|нецікаво|не цікаво"
            "|не цікавить|ні рекламі|ні спаму|я проти|проти|відмовитись|зніміть|викресліть|дістали"
            "|набридли|відчепись|відстаньте|відстань|приберіть|відключіть|відключити|вимкнути|зупиніть"
            "|зупинити|спиніться|зупиніться",
            "kk": "тоқта|тоқтат|тоқтатыңыз|тоқтату|бас тарту|бас тартамын|керек емес|керегі жоқ|жазбаңыз"
            "|жазбаңыздар|жібермеңіз|жібермеңіздер|мазаламаңыз|мазаламаңыздар|жазылудан шығу"
            "|қоңырау шалмаңыз|рахмет керек емес|қажет емес|керек жоқ|қызық емес|қызықсыз|жетер|жетті"
            "|болды|доғар|доғарыңыз|қарсымын|бас тартқым келеді|өшіріңіз|өшір|шығарыңыз|шығу",
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

# A firm's name behind one of these is refused alone: "STOP Cola". Other words: gateway.domain.refusing.
STOP_LEADS: Final = (
    "stop|stopall|unsubscribe|optout|стоп|отпишите|отпиши|отписать|отписаться|отписка|отказываюсь"
    "|прекратите|отключите|уберите|удалите|відпишіть|відпиши|відписати|відписатися|відмовляюсь|відмовляюся"
    "|припиніть|видаліть|вимкніть|тоқта|тоқтат|тоқтатыңыз"
)

# Politeness and the like: taken away before a sentence is compared.
FILLING: Final = (
    "пожалуйста|плиз|спасибо|привет|добрий|ранку|вечора|вечір|ранок|қайырлы|күн|таң|кеш|здравствуйте"
    "|добрый|доброе|день|вечер|утро|смс|мой|мои|моя|моё|мне|меня|вот|код|промокод|все|всё|у|и|хочу"
    "|покажите|мій|мої|мені|мене|ласка|будь|дякую|привіт|вітаю|доброго|дня|усе|всі|і|й|та|рахмет|сәлем"
    "|сәлеметсіз|бе|менің|маған|өтінемін|хабарлама|хат|жарнама|please|pls|plz|thanks|thank|you|hello|hi"
    "|hey|sms|my|me|code|all|and|want|i|to"
)

# Words that tell a language where its letters do not; those of the phrases above count as well.
TELLING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ru": "привет|спасибо|здравствуйте|здравствуй|пожалуйста|мой|мои|вот|и|что|как|где|это|с|крышки"
        "|крышка|добрый|доброе|утро|вечер|доброго|когда|почему|нет|больше|мне|меня|пишите|можно|или|только"
        "|есть|если|отпишите|удалите|уберите|реклама|рекламу|рассылка|рассылки|рассылку|пришлите"
        "|присылайте|звоните|нужно|надо|ваши|ваша|спасибочки|приветик|ночи|суток|времени",
        "uk": "дякую|вітаю|ласка|що|де|чому|коли|мене|кришки|з|це|немає|або|турбуйте|надсилайте|добрий"
        "|добридень|вечір|ранок|ранку|доброго|дня|привіт|вітання|якщо|треба|розсилка|розсилку|розсилки"
        "|видаліть|відпишіть|пишіть|дзвоніть|потрібно|потрібна|ваші|добраніч|є|як|та",
        "kk": "рахмет|рақмет|сәлем|салем|сәлеметсіз|салеметсиз|салеметсизбе|менің|менин|маған|маган|жоқ"
        "|жок|қайда|кайда|қашан|кашан|неге|және|мен|сіз|бұл|кодым|мына|міне|калай|қалай|керек|емес|қайырлы"
        "|кайырлы|күн|кун|таң|кеш|кешіңіз|канша|қанша|рахметсіз|уақыт|осы|алдым|жазбаныз|жибермениз|токта"
        "|ұпайым|упай|ассалаумағалейкум|ассалаумагалейкум|армысыз|бе|біз|болады|жібер|беріңіз",
        "en": "hello|hi|hey|please|thanks|thank|my|the|is|code|how|when|where|what|why|you|me|not|this"
        "|from|it|good|morning|evening|afternoon|day|greetings|dear|have|i|your|want|got|can|do",
    }
)
# Words of two languages and more that are listed for one: they tell neither.
SHARED: Final = (
    "день|хочу|не|у|на|до|по|за|будь|та|друга|бар|мен|бас|код|от|мне|ат|доброго|добрий|вечера|все|наш|ваш"
    "|она|тут|там|так|кун|кеш|без|и"
)
