"""What either side of a call does once it stands (RFC 3261, 12 to 15), whoever has begun it. Pure.

Datagrams and time are arguments, datagrams to send come out. Times are seconds of one monotonic clock.
Whatever the other side says, nothing raises.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import StrEnum
from typing import Final

from sipmessage import URI, Address

from ivr.softphone import media, messages
from ivr.softphone.messages import DTMF, SDP, Content, Ends, Request, Response
from ivr.softphone.resending import Resending

KEYS: Final = "0123456789*#"
MOST_UNANSWERED: Final = 20  # requests of ours; a key more is not sent
RINGS_S: Final = 60.0  # then the call is given up
LEAVES_S: Final = 2.0  # after hanging up, for what the other side has to say
AWAY: Final = "Asterisk does not answer."


class Stage(StrEnum):
    """How far the call is; the page shows these words."""

    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    LEAVING = "leaving"
    OVER = "over"


class Leg(ABC):
    """One call. Not reusable. `why`: for a person, if it ended otherwise than by hanging up."""

    def __init__(self, ends: Ends, sound_port: int, *, to: Address, target: URI) -> None:
        """`sound_port`: where we want to hear, at the host of `ends.here`. `to`, `target`: the other side."""
        self.stage = Stage.DIALLING
        self.why = ""
        self.sound_port: int | None = None  # where the other side wants to hear, at the host of `ends.there`
        self._ends = ends
        self._offer = Content(kind=SDP, body=media.description(ends.here[0], sound_port))
        self._to = to  # with their tag as soon as we know it
        self._target = target
        self._number = 1  # the last CSeq of ours
        self._until = 0.0  # the stage's own end
        self._resending = Resending()
        self._answers: dict[str, Callable[[Request], Response]] = {
            "BYE": self._on_bye,
            "INVITE": self._on_offer,
            "UPDATE": self._on_offer,
            "INFO": self._fine,
            "OPTIONS": self._fine,
        }

    @abstractmethod
    def begin(self, now: float) -> list[bytes]:
        """What is said first."""

    @abstractmethod
    def hang_up(self, now: float) -> list[bytes]:
        """End it, whatever its stage."""

    @abstractmethod
    def hear(self, datagram: bytes, now: float) -> list[bytes]:
        """What is to be said to what has come."""

    def press(self, key: str, now: float) -> list[bytes]:
        """The INFO that says which key was pressed; nothing unless it is one, and somebody listens."""
        if self.stage is not Stage.TALKING or key not in KEYS or len(key) != 1:
            return []
        if len(self._resending) >= MOST_UNANSWERED:
            return []
        told = Content(kind=DTMF, body=f"Signal={key}\r\nDuration=160\r\n".encode())
        return [self._ask("INFO", now, told)]

    def tick(self, now: float) -> list[bytes]:
        """What the time asks for; to be called several times a second."""
        if self.stage is Stage.OVER:
            return []
        if self._resending.lost(now):
            self._end("" if self.stage is Stage.LEAVING else AWAY)
            return []
        if self.stage is not Stage.TALKING and now >= self._until:
            if self.stage is Stage.LEAVING:
                self._end(self.why)
                return []
            self.why = "Nobody answered."
            return self.hang_up(now)
        return self._resending.due(now)

    # What the other side asks

    def _asked(self, asked: Request) -> list[bytes]:
        if asked.method == "ACK":
            return []
        answer = self._answers.get(asked.method)
        if asked.method != "OPTIONS" and not self._is_ours(asked):
            return [bytes(messages.response(asked, 481, "Call/Transaction Does Not Exist", self._ends))]
        if answer is None:
            return [bytes(messages.response(asked, 405, "Method Not Allowed", self._ends))]
        return [bytes(answer(asked))]

    def _is_ours(self, asked: Request) -> bool:
        """Whether a request belongs to this dialog (12.2.2)."""
        theirs = self._to.parameters.get("tag")
        return (
            asked.call_id == self._ends.call_id
            and asked.to_address.parameters.get("tag") == self._ends.tag
            and theirs is not None
            and asked.from_address.parameters.get("tag") == theirs
        )

    def _on_bye(self, asked: Request) -> Response:
        self._end(self.why)
        return self._fine(asked)

    def _on_offer(self, asked: Request) -> Response:
        """The call is to be refreshed (14.2); the sound stays where it is."""
        if asked.body and media.port_of(asked.body, self._ends.there[0]) != self.sound_port:
            return messages.response(asked, 488, "Not Acceptable Here", self._ends)
        return messages.response(asked, 200, "OK", self._ends, self._offer)

    def _fine(self, asked: Request) -> Response:
        return messages.response(asked, 200, "OK", self._ends)

    # What we ask

    def _ask(self, method: str, now: float, content: Content | None = None) -> bytes:
        self._number += 1
        made = messages.request(
            self._ends, method, self._number, target=self._target, to=self._to, content=content
        )
        return self._resending.begin((self._number, method), bytes(made), now)

    def _leave(self, now: float) -> bytes:
        self.stage, self._until = Stage.LEAVING, now + LEAVES_S
        return self._ask("BYE", now)

    def _on_response(self, told: Response) -> list[bytes]:
        """To a request of ours within the call."""
        cseq = (told.cseq.sequence, told.cseq.method)
        if told.code < 200:
            return []
        if self._resending.final(cseq) and cseq[1] == "BYE":
            self._end(self.why)
        return []

    def _end(self, why: str) -> None:
        self.stage, self.why = Stage.OVER, why
