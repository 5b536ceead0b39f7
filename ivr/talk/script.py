"""The talk about the free number: what is said next, from what was heard. Pure: no I/O, no time.

`begin` gives the first action, `hear` the next one for each event; an End is the last. What was said stays
said: a service that is away costs its own sentence, and the menu follows.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from config.prompts import CONSENT, PAUSE
from config.texts import LANGUAGES
from gateway.domain.answers.outcome import Outcome
from ivr.talk.caller import Caller, Sight
from ivr.talk.sounds import Sounds, digits, groups, number, sounds
from ivr.talk.steps import (
    Action,
    Ask,
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

MOST_CODE: Final = 32  # keys of a code; the longest of digits have fewer
MOST_PRESSED: Final = 64  # keys that are noted for the record
MOST_SILENCES: Final = 2  # questions in a row without a key; then the call ends
_MISSES: Final = 2  # silences or wrong keys in a row that are forgiven
_BACK: Final = "*"
_WHY_NOT: Final = {
    Sight.WITHHELD: "withheld",
    Sight.UNKNOWN: "unknown_caller",
    Sight.MALFORMED: "unknown_caller",
    Sight.FOREIGN: "foreign",
}
_DONE: Final = {
    Service.TEXT_ALIAS: "sent_already",
    Service.CHOOSE_LANGUAGE: "language_set",
    Service.AGREE: "consent_given",
    Service.STOP: "no_more_offers",
}
_AWAY: Final = {
    Service.ACTIVATE: "code_not_now",
    Service.CHOOSE_LANGUAGE: "language_set",  # for this call it holds all the same
}


class _At(Enum):
    """What the next event answers."""

    OPENING = auto()  # the first look for the alias
    GREETING = auto()  # its SMS
    MENU = auto()
    CODE = auto()
    OFFERS = auto()  # whether the caller agrees
    LANGUAGE = auto()
    INSTEAD = auto()
    SERVICE = auto()  # one that a key has asked for


_QUESTIONS: Final = {_At.CODE: "enter_code", _At.OFFERS: CONSENT}


class Script:
    """One call. Not reusable."""

    def __init__(self, caller: Caller, short_number: str, most_silences: int = MOST_SILENCES) -> None:
        """`short_number`: where SMS leave from, and where the caller may send one.

        `most_silences`: after so many questions in a row without a key the call ends.
        """
        self.language = caller.language
        self.pressed = ""  # keys in the menus, for the record
        self._caller = caller
        self._short_number = short_number
        self._at = _At.OPENING
        self._asked = Service.LOOK_UP  # the last service
        self._alias = ""
        self._texted = False
        self._most_silences = most_silences
        self._misses = 0
        self._silences = 0
        self._keys: dict[str, Callable[[], Action]] = {
            "1": lambda: self._do(Service.LOOK_UP),  # anew: it may have been replaced or erased meanwhile
            "2": self._text,
            "3": lambda: self._ask(_At.CODE),
            "4": lambda: self._do(Service.BALANCE),
            "7": lambda: self._ask(_At.OFFERS),
            "8": lambda: self._ask(_At.LANGUAGE),
            "9": lambda: self._do(Service.STOP),
            "0": lambda: self._menu("help"),
        }

    def begin(self) -> Action:
        """The first action."""
        if self._caller.sight is Sight.KNOWN:
            return self._do(Service.LOOK_UP, _At.OPENING)
        return self._ask(_At.INSTEAD, PAUSE, "greeting")

    def hear(self, event: Event) -> Action:
        """The next action. `event` must answer the last one."""
        if isinstance(event, TimeUp):
            return self._end(CallEnd.TIME_UP, "goodbye")
        if isinstance(event, Keyed):
            return self._keyed(event.keys)
        if self._at is _At.OPENING:
            return self._opened(event)
        if self._at is _At.GREETING:
            return self._greeted(sent=isinstance(event, Done))
        return self._served(event)

    # The beginning.

    def _opened(self, event: Event) -> Action:
        if isinstance(event, Found):
            self.language = event.language or self.language
            self._alias = event.alias or ""
        return self._do(Service.TEXT_ALIAS, _At.GREETING)

    def _greeted(self, *, sent: bool) -> Action:
        self._texted = sent
        hello = (PAUSE, "greeting")
        if self._alias:
            told = self._alias_twice()
            return self._menu(*hello, *told, *(("sent_by_sms",) if sent else ()), *self._before_spending())
        if sent:
            return self._menu(*hello, "alias_by_sms")
        return self._end(CallEnd.AWAY, *hello, "call_later", "goodbye")

    # Keys.

    def _keyed(self, keys: str) -> Action:
        self._silences = 0 if keys else self._silences + 1
        if self._at is _At.CODE:
            return self._code(keys)
        self.pressed = (self.pressed + keys)[:MOST_PRESSED]
        if self._at is _At.INSTEAD and not keys:
            return self._end(CallEnd.INSTEAD, "goodbye")
        chosen = self._meaning(keys)
        if chosen is None:
            return self._missed("wrong_key" if keys else "not_heard")
        self._misses = 0
        return chosen()

    def _meaning(self, key: str) -> Callable[[], Action] | None:
        if self._at is _At.LANGUAGE:
            by_key = {str(at): language for at, language in enumerate(LANGUAGES, 1)}
            return None if key not in by_key else lambda: self._choose(by_key[key])
        if self._at is _At.OFFERS:
            agrees = {"1": lambda: self._do(Service.AGREE), _BACK: self._menu, "9": self._keys["9"]}
            return agrees.get(key)
        if self._at is _At.INSTEAD:
            again = {"1": lambda: self._ask(_At.INSTEAD), "8": lambda: self._ask(_At.LANGUAGE)}
            return again.get(key)
        return self._keys.get(key)

    def _missed(self, how: str) -> Action:
        self._misses += 1
        if self._misses > _MISSES or self._silences >= self._most_silences:
            return self._end(CallEnd.SILENCE, "goodbye")
        return self._ask(self._at, how)

    def _code(self, keys: str) -> Action:
        if not keys:
            return self._missed("not_heard")
        self._misses = 0
        if _BACK in keys:
            return self._menu()
        return self._do(Service.ACTIVATE, keyed=keys)

    def _text(self) -> Action:
        return self._menu("sent_already") if self._texted else self._do(Service.TEXT_ALIAS)

    def _choose(self, language: str) -> Action:
        self.language = language
        if self._caller.sight is Sight.KNOWN:
            return self._do(Service.CHOOSE_LANGUAGE)
        return self._ask(_At.INSTEAD, "language_set")

    # What services bring.

    def _served(self, event: Event) -> Action:
        service = self._asked
        match event:
            case Found(alias=str(alias)):
                self._alias = alias
                return self._menu(*self._alias_twice(), *self._before_spending())
            case Judged():
                return self._judged(event)
            case Counted(points):
                return self._menu("balance_is", *number(points, self.language))
            case Done():
                self._texted = self._texted or service is Service.TEXT_ALIAS
                return self._menu(_DONE[service])
        return self._menu(_AWAY.get(service, "not_now"))

    def _judged(self, event: Judged) -> Action:
        said = event.outcome.value
        if event.outcome is Outcome.ACTIVATED:
            return self._menu(said, *number(event.points, self.language))
        if event.outcome is Outcome.INVALID:
            return self._ask(_At.CODE, said)
        return self._menu(said)

    # What is said.

    def _menu(self, *names: str) -> Action:
        return self._ask(_At.MENU, *names)

    def _ask(self, at: _At, *names: str) -> Action:
        """`names`, then what is asked there."""
        self._at = at
        most = MOST_CODE if at is _At.CODE else 1
        return Ask(sounds=sounds(self.language, names) + self._question(at), most=most)

    def _question(self, at: _At) -> Sounds:
        if at is _At.LANGUAGE:
            return tuple(f"{language}/choose" for language in LANGUAGES)
        if at is _At.INSTEAD:
            why = _WHY_NOT[self._caller.sight]
            number_ = digits(self._short_number)
            return sounds(self.language, (why, "instead", *number_, PAUSE, "instead_keys"))
        return sounds(self.language, (_QUESTIONS.get(at, "menu"),))

    def _alias_twice(self) -> tuple[str, ...]:
        said = groups(self._alias)
        return ("alias_is", *said, PAUSE, "once_more", *said, PAUSE)

    def _before_spending(self) -> tuple[str, ...]:
        """A caller's number can be forged, a message's far less easily."""
        return ("spend_after_sms", *digits(self._short_number), PAUSE)

    def _do(self, service: Service, at: _At = _At.SERVICE, keyed: str = "") -> Action:
        self._at, self._asked = at, service
        return Do(service=service, language=self.language, keyed=keyed)

    def _end(self, end: CallEnd, *names: str) -> Action:
        return End(sounds=sounds(self.language, names), end=end)
