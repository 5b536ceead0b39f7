"""The talk with a callee: what is said next, from what was heard. Pure: no I/O, no time.

`begin` gives the first action, `hear` the next one for each event; an End is the last. `outcome` is what came
of the call if it ends now. Who calls is said at once and the way out right behind it, before any offer
(47 CFR 64.1200(b)(1) and (3)).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from gateway.domain.offers.offer_call import OnMachine, Outcome
from ivr.offer.order import AnsweredBy, OfferOrder
from ivr.offer.steps import Action, Answered, AwaitSilence, Do, End, Event, Listen, OfferService
from ivr.talk.script import MOST_SILENCES
from ivr.talk.sounds import Sounds, digits, sounds
from ivr.talk.steps import Ask, Away, Keyed, TimeUp

MOST_KEYS: Final = 20  # of a call; then it is brought to its end
_MISSES: Final = 2  # silences or wrong keys in a row that are forgiven
_REFUSAL: Final = "9"


class _At(Enum):
    """What the next event answers."""

    ANSWER = auto()
    GREETING = auto()  # a machine's
    MESSAGE = auto()  # for it
    INTRO = auto()
    OFFER = auto()
    KEYS = auto()
    SERVICE = auto()
    PARTING = auto()  # a key has had its effect; another may still follow


class OfferScript:
    """One call. Not reusable."""

    def __init__(self, order: OfferOrder, most_silences: int = MOST_SILENCES) -> None:
        """`most_silences`: after so many questions in a row without a key the call ends."""
        self.answered_by = AnsweredBy.UNSURE
        self.outcome = Outcome.HUNG_UP
        self.pressed = ""  # in their order
        self._order = order
        self._at = _At.ANSWER
        self._most_silences = most_silences
        self._misses = 0
        self._silences = 0  # after the question for a key, which follows the offer
        self._keys: dict[str, Callable[[], Action]] = {
            "1": self._accept,
            "2": self._put_off,
            _REFUSAL: self._refuse,
            "*": lambda: self._ask(_At.INTRO),
        }

    def begin(self) -> Action:
        """The first action."""
        return self._ask(_At.INTRO) if self._order.on_machine is OnMachine.IGNORE else Listen()

    def hear(self, event: Event) -> Action:
        """The next action. `event` must answer the last one."""
        if isinstance(event, Answered):
            return self._answered(event.by)
        if isinstance(event, Keyed):
            return self._keyed(event.keys)
        if isinstance(event, TimeUp):
            self.pressed += event.keys
            return self._refuse() if event.keys == _REFUSAL else self._end("offer_goodbye")
        if self._at is _At.GREETING:
            self._at = _At.MESSAGE
            return Ask(sounds=self._message(), waits=False)
        return self._served(later=isinstance(event, Away))

    # Who has answered.

    def _answered(self, by: AnsweredBy) -> Action:
        self.answered_by = by
        if by is not AnsweredBy.MACHINE:
            return self._ask(_At.INTRO)
        self.outcome = Outcome.MACHINE
        if self._order.on_machine is OnMachine.LEAVE_MESSAGE:
            self._at = _At.GREETING
            return AwaitSilence()
        return self._end()

    # Keys.

    def _keyed(self, key: str) -> Action:
        if not key:
            return self._heard_out()
        self._silences = 0
        self.pressed += key
        if self._at is _At.MESSAGE:  # no machine presses keys
            self.answered_by, self.outcome = AnsweredBy.HUMAN, Outcome.HUNG_UP
        if key in self._keys:
            self._misses = 0
            return self._keys[key]() if len(self.pressed) < MOST_KEYS or key == _REFUSAL else self._goodbye()
        return self._missed("wrong_key")

    def _heard_out(self) -> Action:
        """Nothing was pressed while something was said, nor in the time for it."""
        if self._at is _At.INTRO:
            return self._ask(_At.OFFER)
        if self._at is _At.OFFER:
            self._becomes(Outcome.HEARD)
            return self._ask(_At.KEYS)
        if self._at is _At.MESSAGE:
            self.outcome = Outcome.MESSAGE_LEFT
        if self._at is not _At.KEYS:
            return self._end()
        self._silences += 1
        return self._missed("not_heard")

    def _missed(self, how: str) -> Action:
        self._misses += 1
        if self._misses > _MISSES or self._silences >= self._most_silences:
            return self._goodbye()
        if self._at in (
            _At.INTRO,
            _At.MESSAGE,
        ):  # who has not waited for the way out must hear it all the same
            return self._ask(_At.OFFER, how, "offer_refuse")
        return self._ask(_At.KEYS if self._at is _At.PARTING else self._at, how)

    def _accept(self) -> Action:
        if self.outcome is Outcome.ACCEPTED:
            return self._parting("offer_sent")
        self._becomes(Outcome.ACCEPTED)
        return self._do(OfferService.SEND)

    def _put_off(self) -> Action:
        if self.outcome is Outcome.ACCEPTED:  # and so is called no more
            return self._parting("offer_sent")
        self._becomes(Outcome.LATER)
        return self._parting("offer_later")

    def _refuse(self) -> Action:
        self._becomes(Outcome.REFUSED)
        return self._do(OfferService.REFUSE)

    # What services bring.

    def _served(self, *, later: bool) -> Action:
        if self.outcome is Outcome.REFUSED:
            return self._end("offer_refused_later" if later else "no_more_offers", "offer_goodbye")
        return self._parting("offer_sent_later" if later else "offer_sent")

    def _becomes(self, outcome: Outcome) -> None:
        """Of several the strongest holds: a no, then a yes, then not now, then to have heard it."""
        if _STRENGTH.index(outcome) > _STRENGTH.index(self.outcome):
            self.outcome = outcome

    # What is said.

    def _ask(self, at: _At, *names: str) -> Action:
        """`names`, then what is said there."""
        self._at = at
        house = sounds(self._order.callee.language, names)
        if at is _At.INTRO:
            return Ask(sounds=(*house, self._order.intro, *self._said("offer_refuse")), waits=False)
        if at is _At.OFFER:
            return Ask(sounds=(*house, self._order.offer), waits=False)
        return Ask(sounds=house + self._said("offer_keys"))

    def _parting(self, name: str) -> Action:
        self._at = _At.PARTING
        return Ask(sounds=self._said(name, "offer_goodbye"), waits=False)

    def _message(self) -> Sounds:
        """For a machine."""
        order = self._order
        free = self._said("offer_call_free", *digits(order.free_number)) if order.free_number else ()
        return (order.intro, order.offer, *free)

    def _do(self, service: OfferService) -> Action:
        self._at = _At.SERVICE
        return Do(service=service)

    def _goodbye(self) -> Action:
        return self._end("offer_goodbye")

    def _end(self, *names: str) -> Action:
        return End(sounds=self._said(*names))

    def _said(self, *names: str) -> Sounds:
        return sounds(self._order.callee.language, names)


_STRENGTH: Final = (Outcome.HUNG_UP, Outcome.HEARD, Outcome.LATER, Outcome.ACCEPTED, Outcome.REFUSED)
