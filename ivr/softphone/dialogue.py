"""One outgoing call in SIP (RFC 3261), from the INVITE to its end. Pure: datagrams and time are arguments.

Events go in (`begin`, `hear`, `press`, `hang_up`, `tick`), datagrams to send come out; ivr.softphone.call
does it. Times are seconds of one monotonic clock. Whatever the other side says, nothing raises.
"""

from __future__ import annotations

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
_REFUSALS: Final = {
    404: "There is no such number.",
    486: "All lines are busy.",
    503: "All lines are busy.",
    603: "The call was refused.",
}


class Stage(StrEnum):
    """How far the call is; the page shows these words."""

    DIALLING = "dialling"
    RINGING = "ringing"
    TALKING = "talking"
    LEAVING = "leaving"
    OVER = "over"


class Dialogue:
    """One call. Not reusable. `why`: for a person, if it ended otherwise than by hanging up."""

    def __init__(self, ends: Ends, sound_port: int) -> None:
        """`sound_port`: where we want to hear, at the host of `ends.here`."""
        self.stage = Stage.DIALLING
        self.why = ""
        self.sound_port: int | None = None  # where the other side wants to hear, at the host of `ends.there`
        self._ends = ends
        self._offer = Content(kind=SDP, body=media.description(ends.here[0], sound_port))
        self._to = Address(uri=ends.destination)  # with their tag as soon as we know it
        self._target: URI = ends.destination
        self._invite = messages.request(
            ends, "INVITE", 1, target=ends.destination, to=self._to, content=self._offer
        )
        self._number = 1  # the last CSeq of ours
        self._heard_of = False  # a response has come
        self._cancelled = False
        self._until = 0.0  # the stage's own end
        self._resending = Resending()
        self._answers: dict[str, Callable[[Request], Response]] = {
            "BYE": self._on_bye,
            "INVITE": self._on_offer,
            "UPDATE": self._on_offer,
            "INFO": self._fine,
            "OPTIONS": self._fine,
        }

    def begin(self, now: float) -> list[bytes]:
        """The INVITE (13.2.1)."""
        self._until = now + RINGS_S
        return [self._resending.begin((1, "INVITE"), bytes(self._invite), now)]

    def press(self, key: str, now: float) -> list[bytes]:
        """The INFO that says which key was pressed; nothing unless it is one, and somebody listens."""
        if self.stage is not Stage.TALKING or key not in KEYS or len(key) != 1:
            return []
        if len(self._resending) >= MOST_UNANSWERED:
            return []
        told = Content(kind=DTMF, body=f"Signal={key}\r\nDuration=160\r\n".encode())
        return [self._ask("INFO", now, told)]

    def hang_up(self, now: float) -> list[bytes]:
        """The BYE (15.1.1) or the CANCEL (9.1); before any response nothing may be sent."""
        if self.stage is Stage.TALKING:
            return [self._leave(now)]
        if self.stage in (Stage.DIALLING, Stage.RINGING):
            self.stage, self._until = Stage.LEAVING, now + LEAVES_S
            return self._cancel(now) if self._heard_of else []
        return []

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

    def hear(self, datagram: bytes, now: float) -> list[bytes]:
        """What is to be said to what has come."""
        message = messages.read(datagram)
        if message is None or self.stage is Stage.OVER:
            return []
        if isinstance(message, Request):
            return self._asked(message)
        if (
            message.call_id != self._ends.call_id
            or message.from_address.parameters.get("tag") != self._ends.tag
        ):
            return []
        if message.cseq.method == "INVITE":
            return self._on_invite_response(message, now)
        return self._on_response(message)

    # Responses to what we have asked

    def _on_response(self, told: Response) -> list[bytes]:
        cseq = (told.cseq.sequence, told.cseq.method)
        if told.code < 200:
            return []
        if self._resending.final(cseq) and cseq[1] == "BYE":
            self._end(self.why)
        return []

    def _on_invite_response(self, told: Response, now: float) -> list[bytes]:
        if told.cseq.sequence != 1:
            return []
        if told.code < 200:
            return self._on_provisional(told, now)
        waited = self._resending.final((1, "INVITE"))
        if told.code >= 300:
            return self._on_refusal(told, waited=waited)
        if waited:
            self._to = told.to_address
            if told.contact:
                self._target = told.contact[0].uri
        # Each repetition is acknowledged again (13.2.2.4).
        acknowledged = [bytes(messages.request(self._ends, "ACK", 1, target=self._target, to=self._to))]
        return acknowledged + (self._on_answer(told, now) if waited else [])

    def _on_provisional(self, told: Response, now: float) -> list[bytes]:
        self._heard_of = True
        self._resending.provisional((1, "INVITE"))
        if told.code > 100 and self.stage is Stage.DIALLING:
            self.stage = Stage.RINGING
        return self._cancel(now) if self.stage is Stage.LEAVING else []

    def _on_answer(self, told: Response, now: float) -> list[bytes]:
        self.sound_port = media.port_of(told.body, self._ends.there[0])
        if self.stage is Stage.LEAVING:  # our CANCEL came too late
            return [self._leave(now)]
        if self.sound_port is None:
            self.why = "Asterisk speaks no sound that the page can play."
            return [self._leave(now)]
        self.stage = Stage.TALKING
        return []

    def _on_refusal(self, told: Response, *, waited: bool) -> list[bytes]:
        acknowledged = messages.request(
            self._ends, "ACK", 1, target=self._ends.destination, to=told.to_address
        )
        if waited:
            refused = _REFUSALS.get(told.code, f"Asterisk refused the call ({told.code}).")
            self._end(self.why if self.stage is Stage.LEAVING else refused)
        return [bytes(messages.sharing_branch(acknowledged, self._invite))]

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

    def _cancel(self, now: float) -> list[bytes]:
        if self._cancelled:
            return []
        self._cancelled = True
        made = messages.request(
            self._ends, "CANCEL", 1, target=self._ends.destination, to=self._invite.to_address
        )
        octets = bytes(messages.sharing_branch(made, self._invite))
        return [self._resending.begin((1, "CANCEL"), octets, now)]

    def _end(self, why: str) -> None:
        self.stage, self.why = Stage.OVER, why
