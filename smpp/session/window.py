"""Requests that wait for the SMSC's answer: at most so many, each for at most so long. Pure."""

from __future__ import annotations

from smpp.protocol.wire import MAX_SEQUENCE


class Window:
    """The send window of a session, and its sequence numbers.

    Tokens are the caller's own; entries come out exactly once: closed, expired or cleared.
    """

    __slots__ = ("_sequence", "_size", "_timeout_s", "_waiting")

    def __init__(self, size: int, timeout_s: float) -> None:
        """`size`: requests in flight at most. `timeout_s`: how long an answer is awaited."""
        self._size = size
        self._timeout_s = timeout_s
        self._sequence = 0
        # Sequence number -> (token, time sent); in the order of sending, so the oldest stands first.
        self._waiting: dict[int, tuple[object, float]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def free(self) -> int:
        """How many requests may still be sent."""
        return self._size - len(self._waiting)

    @property
    def empty(self) -> bool:
        """Nothing waits for an answer."""
        return not self._waiting

    def next_sequence(self) -> int:
        """A sequence number: 1 to 0x7FFFFFFF, then 1 again (SMPP 3.4, 3.2)."""
        self._sequence = self._sequence % MAX_SEQUENCE + 1
        return self._sequence

    def open(self, token: object, now: float) -> int:
        """Enter a request sent at `now`; its sequence number. The caller has looked at `free`."""
        self._sequence = sequence = self._sequence % MAX_SEQUENCE + 1
        self._waiting[sequence] = (token, now)
        return sequence

    def close(self, sequence: int) -> tuple[object, float] | None:
        """The (token, time sent) that this answer is for; None if nothing waits for it."""
        return self._waiting.pop(sequence, None)

    def expire(self, now: float) -> list[object]:
        """Take out the tokens whose answer has not come in time."""
        late = []
        for sequence, (_, sent) in self._waiting.items():
            if now - sent < self._timeout_s:
                break
            late.append(sequence)
        return [self._waiting.pop(sequence)[0] for sequence in late]

    def clear(self) -> list[object]:
        """Take out all tokens: no answer can come any more."""
        tokens = [token for token, _ in self._waiting.values()]
        self._waiting.clear()
        return tokens
