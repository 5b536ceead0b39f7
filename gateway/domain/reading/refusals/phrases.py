"""Refusals that are known as a whole, and what rules know of single words."""

from __future__ import annotations

from typing import Final

# The bare answer to an offer, or to our question; with any other word it is about something else.
ALONE: Final = (
    "no|nope|no no|нет|нет нет|ні|ні ні|жоқ|жок|no thanks|no thank you|no thx|nah|нет спасибо|спасибо нет"
    "|ні дякую|дякую ні|жоқ рахмет|рахмет жоқ|no way|нет не надо|ні не треба"
)

# One word of refusal where visitors and neighbours come from, alone or with politeness; accents do not count.
ELSEWHERE: Final = (
    "arrêt|arrêter|arrêtez|désabonner|désabonnement|désinscription|désinscrire|désinscrivez|résilier|baja"
    "|alto|parar|cancelar|detener|desuscribir|desuscribirse|darme de baja|dar de baja|no más|abmelden"
    "|abmeldung|abbestellen|austragen|abbrechen|aufhören|stopp|widerruf|widerspruch|kündigen|wypisz"
    "|wypisz mnie|wypisuję|rezygnuję|rezygnacja|rezygnuj|anuluj|wyrejestruj|usuń|usuń mnie|koniec|wypisać"
    "|wyłącz|nie chcę|przestań|przestańcie|nie pisz|nie piszcie|nie dzwońcie|zrezygnuj|odmowa|dezabonare"
    "|dezabonează|dezaboneaza-mă|renunț|renunțare|oprește|opriți|anulare|nu mai doresc|leiratkozás"
    "|leiratkozom|leiratkozni|lemondás|lemondom|állj|megállít|odhlásit|odhlásiť|odhlaste|odhlášení"
    "|odhlásenie|zrušit|zrušiť|zrušte|nechci|nechcem|ukončit|iptal|dur|durdur|ret|reddet|çık|çıkış"
    "|abonelikten çık|istemiyorum|vazgeç|адмова|адпісацца|адпісаць|адпішыце|спыніць|спыніце|хопіць"
    "|отписване|отпишете|спри|спрете|отказвам|отказвам се|отмяна|откажи|токтот|токто|токтотуңуз|баш тартуу"
    "|toʻxtat|to'xtat|to'xta|to'xtating|тўхтат|тўхтатинг|bekor|bekor qilish|obunani bekor qilish"
    "|kerak emas|disiscrivi|disiscrivimi|cancellami|annulla|basta|disdetta|rimuovi|rimuovimi|fermare|ferma"
    "|sair|remover|descadastrar|desinscrever|cancele|pare|atsisakau|atsisakyti|atšaukti|nebesiųskite"
    "|stabdyti|atteikties|atrakstīties|pārtraukt|beigt|loobu|loobun|lõpeta|tühista|peruuta|lopeta|avsluta"
    "|avanmäl|avmeld|afmeld|slut|afmelden|uitschrijven|stoppen|ophouden|odjava|odjavi|odjavite|prekini"
    "|prestani|одјава|одјави|престани|dayandır|imtina|ləğv et|istəmirəm|διακοπή|στοπ|διαγραφή|გაუქმება"
    "|გათიშვა|შეწყვიტე|დადექი|դադարեցնել|կանգ|зогсоо|боль|הסר|הסירו|תפסיקו|توقف|إلغاء|الغاء|إيقاف|ايقاف|退订"
    "|退訂|停止|取消|配信停止|수신거부|중지|🛑"
)

# Kazakh verbs of contact by their beginnings: with -ма, -ме, -ба … behind it each asks not to.
KK_CONTACT: Final = (
    "жаз|жібер|мазала|хабарлас|шал|сал|жолда|соқ|бер|алаңдат|звонда|спамда|ұсын|көрсет|мазаны|тиіс|смсте"
    "|тарат"
)
# Verbs of Kazakh that stand last, or that an ending turns round.
KK_STEMS: Final = (
    "өшір|шығар|шыққ|шығ|таста|жой|ажырат|ұмыт|тоқта|доғар|қой|жетер|жетті|болды|тарт|қайтар|бермей|тоқтат"
    "|жетеді"
)
# Two words of an idiom, not far from each other.
PAIRS: Final = (
    "leave alone|count out|opt out|opting out|opted out|lose number|cut out|knock off|back off|get lost"
    "|go away|stay away|im out|want out|not disturb|dont disturb|обо мне|про мене|отстань меня"
    "|отстаньте меня|отстаньте нас|відстаньте мене|відчепіться мене|отвалите меня|отвяжитесь меня"
    "|відчепись мене|отцепитесь меня|оставьте покое|залиште спокої|дайте спокій|дайте покой|бас тартамын"
    "|бас тартам|бас тартқым|тыныш қой|мені қой|shut up|keep yourself|жайыма қалдырыңыз|жайыма қалдыр"
    "|жайыма қалдырыңдар|жайына қалдырыңыз"
)
# Long keywords that are understood with one letter wrong.
MISTYPED: Final = (
    "unsubscribe|отписаться|отказаться|отпишите|відписатися|відмовитися|відпишіть|тоқтатыңыз|отказываюсь"
    "|відмовляюсь"
)
