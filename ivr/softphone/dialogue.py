"""One outgoing call in SIP (RFC 3261), from the INVITE to its end. Pure: datagrams and time are arguments.

Events go in (`begin`, `hear`, `press`, `hang_up`, `tick`), datagrams to send come out; ivr.softphone.call
does it. Times are seconds of one monotonic clock. Whatever the other side says, nothing raises.
"""

from __future__ import annotations

from typing import Final

from sipmessage import Address

from ivr.softphone import media, messages
from ivr.softphone.leg import LEAVES_S, RINGS_S, Leg, Stage
from ivr.softphone.messages import Ends, Request, Response

_REFUSALS: Final = {
    404: "There is no such number.",
    486: "All lines are busy.",
    503: "All lines are busy.",
    603: "The call was refused.",
}


class Dialogue(Leg):
    """One call that we have begun. Not reusable."""

    def __init__(self, ends: Ends, sound_port: int) -> None:
        """`sound_port`: where we want to hear, at the host of `ends.here`."""
        super().__init__(ends, sound_port, to=Address(uri=ends.destination), target=ends.destination)
        self._invite = messages.request(
            ends, "INVITE", 1, target=ends.destination, to=self._to, content=self._offer
        )
        self._heard_of = False  # a response has come
        self._cancelled = False

    def begin(self, now: float) -> list[bytes]:
        """The INVITE (13.2.1)."""
        self._until = now + RINGS_S
        return [self._resending.begin((1, "INVITE"), bytes(self._invite), now)]

    def hang_up(self, now: float) -> list[bytes]:
        """The BYE (15.1.1) or the CANCEL (9.1); before any response nothing may be sent."""
        if self.stage is Stage.TALKING:
            return [self._leave(now)]
        if self.stage in (Stage.DIALLING, Stage.RINGING):
            self.stage, self._until = Stage.LEAVING, now + LEAVES_S
            return self._cancel(now) if self._heard_of else []
        return []

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

    def _cancel(self, now: float) -> list[bytes]:
        if self._cancelled:
            return []
        self._cancelled = True
        made = messages.request(
            self._ends, "CANCEL", 1, target=self._ends.destination, to=self._invite.to_address
        )
        octets = bytes(messages.sharing_branch(made, self._invite))
        return [self._resending.begin((1, "CANCEL"), octets, now)]
