"""One call that comes to a handset, in SIP (RFC 3261), from its INVITE to its end. Pure.

As ivr.softphone.dialogue, from the other side: it rings, and then is answered, declined, or cancelled.
"""

from __future__ import annotations

from ivr.softphone import media, messages
from ivr.softphone.leg import LEAVES_S, RINGS_S, Leg, Stage
from ivr.softphone.messages import Ends, Request, Response

NO_SOUND = "Asterisk speaks no sound that the page can play."


class Incoming(Leg):
    """`invite`: as it came."""

    def __init__(self, invite: Request, ends: Ends, sound_port: int) -> None:
        """`sound_port`: where we want to hear, at the host of `ends.here`."""
        target = invite.contact[0].uri if invite.contact else invite.from_address.uri
        super().__init__(ends, sound_port, to=invite.from_address, target=target)
        self.stage = Stage.RINGING
        self._invite = invite
        self._key = (invite.cseq.sequence, "INVITE")
        self._said = b""  # the last response to the INVITE

    def begin(self, now: float) -> list[bytes]:
        """It rings."""
        self._until = now + RINGS_S
        return [self._respond(180, "Ringing")]

    def answer(self, now: float) -> list[bytes]:
        """Somebody takes it; said again until it is acknowledged (13.3.1.4)."""
        if self.stage is not Stage.RINGING:
            return []
        self.sound_port = media.port_of(self._invite.body, self._ends.there[0])
        if self.sound_port is None:
            self.why = NO_SOUND
            return self._refuse(488, "Not Acceptable Here", now)
        self.stage = Stage.TALKING
        self._said = bytes(messages.response(self._invite, 200, "OK", self._ends, self._offer))
        return [self._resending.begin(self._key, self._said, now)]

    def hang_up(self, now: float) -> list[bytes]:
        """Decline it (21.6.2), or end it."""
        if self.stage is Stage.TALKING:
            return [self._leave(now)]
        if self.stage is not Stage.RINGING:
            return []
        if self.why:  # nobody has said no
            return self._refuse(480, "Temporarily Unavailable", now)
        return self._refuse(603, "Decline", now)

    def hear(self, datagram: bytes, now: float) -> list[bytes]:
        """What is to be said to what has come."""
        message = messages.read(datagram)
        if message is None or self.stage is Stage.OVER or message.call_id != self._ends.call_id:
            return []
        if isinstance(message, Response):
            return self._on_response(message)
        if message.cseq.sequence == self._key[0]:
            if message.method == "INVITE":  # it was sent again
                return [self._said]
            if message.method == "CANCEL":
                return self._on_cancel(message, now)
            if message.method == "ACK":
                return self._on_ack()
        return self._asked(message)

    def _on_cancel(self, asked: Request, now: float) -> list[bytes]:
        """9.2: the CANCEL has an answer of its own, and the INVITE its last one."""
        answer = bytes(self._fine(asked))
        if self.stage is not Stage.RINGING:
            return [answer]
        return [answer, *self._refuse(487, "Request Terminated", now)]

    def _on_ack(self) -> list[bytes]:
        self._resending.final(self._key)
        if self.stage is Stage.LEAVING and not len(self._resending):
            self._end(self.why)
        return []

    def _refuse(self, code: int, phrase: str, now: float) -> list[bytes]:
        """Said again until it is acknowledged (17.2.1)."""
        self.stage, self._until = Stage.LEAVING, now + LEAVES_S
        return [self._resending.begin(self._key, self._respond(code, phrase), now)]

    def _respond(self, code: int, phrase: str) -> bytes:
        self._said = bytes(messages.response(self._invite, code, phrase, self._ends))
        return self._said
