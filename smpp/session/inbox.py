"""Messages that wait for our answer: at most so many before reading is to rest. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from smpp.protocol import statuses, wire
from smpp.protocol.pdus import DeliverSm, Malformed
from smpp.session.counters import Tally


class Inbox:
    """The messages of one session, from their arrival to their response."""

    __slots__ = ("_most", "_tally", "_temporary", "_waiting", "full", "refuses", "takes")

    def __init__(self, most: int, temporary_status: int, tally: Tally) -> None:
        """`most`: messages without an answer from which on it is full; so many, and what one read brings."""
        self.takes = False  # messages are handed on
        self.refuses = True  # messages are out of place: there is no bind for them
        self.full = False
        self._most = most
        self._temporary = temporary_status
        self._tally = tally
        self._waiting: dict[int, int] = {}  # sequence number -> command_id of its response

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, message: DeliverSm | Malformed, command: int, sequence: int) -> bytes:
        """Enter a message: b"" if its answer waits for `answer`, else the response that refuses it at once.

        A good message is put off with the temporary status while we are leaving, and if its number is in use
        (an early retry, or a mistake of the SMSC): the SMSC keeps it and sends it again.
        """
        response = command | wire.RESPONSE
        if self.refuses:
            self._tally.wrong_state += 1
            return wire.encode_answer(response, statuses.RINVBNDSTS, sequence)
        if not self.takes or sequence in self._waiting:
            self._tally.put_off += 1
            return wire.encode_answer(response, self._temporary, sequence)
        if type(message) is Malformed:
            self._tally.malformed += 1
            self._tally.odd(f"a message that cannot be read is refused: 0x{message.status:x}")
            return wire.encode_answer(response, message.status, sequence)
        self._waiting[sequence] = response
        return b""

    def weigh(self, taken: Sequence[DeliverSm]) -> None:
        """These were taken with one read: is it full?"""
        self._tally.received += len(taken)
        if ignored := [message for message in taken if message.ignored]:
            self._tally.ignored += len(ignored)
            self._tally.odd(
                "octets that cannot be read, behind a message's fields or as its header, are ignored"
            )
        if len(self._waiting) >= self._most and not self.full:
            self._tally.paused += 1
            self.full = True

    def answer(self, sequence: int, status: int) -> bytes | None:
        """The response to a message; None if nothing waits for it. Half empty it is not full any more."""
        response = self._waiting.pop(sequence, None)
        if response is None:
            return None
        if self.full and len(self._waiting) <= self._most // 2:
            self.full = False
        return wire.encode_answer(response, status, sequence)

    def clear(self) -> None:
        """Nobody waits for our answers any more."""
        self._waiting.clear()
