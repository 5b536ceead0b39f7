"""Between the page and the SMSC: handsets text and receive, every open page hears of it."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable
from typing import Any, Protocol

from gateway.domain.sms import segments
from smpp.simulator import handsets
from smpp.simulator.conversations import Bubble, Conversations, Direction, Tick
from smpp.simulator.deliveries import Verdict
from smpp.simulator.demo import Demo
from smpp.simulator.joining import Reply
from smpp.simulator.smsc import QueueFullError
from smpp.simulator.texted import TextedCodes

MOST_CHARACTERS = 1_600
_KEPT_BUBBLES = 200  # a handset
# data_coding (SMPP 3.4, 5.2.19) as the page names it; everything else travels as GSM 03.38.
_ENCODINGS = {1: "ASCII", 3: "Latin-1", 4: "8-bit", 6: "ISO-8859-5", 8: "UCS-2"}

_TICKS = {
    Verdict.ACKNOWLEDGED: Tick.ACKNOWLEDGED,
    Verdict.RETRYING: Tick.RETRYING,
    Verdict.REFUSED: Tick.REFUSED,
    Verdict.EXPIRED: Tick.EXPIRED,
}


class Operator(Protocol):
    """What is needed of the SMSC."""

    @property
    def gateways(self) -> int:
        """Binds that are up."""

    def text(self, text_id: str, source: str, destination: str, text: str) -> segments.Segments:
        """A handset texts; raises QueueFullError."""


class Switchboard:
    """`tell` is given every message for the pages, as JSON; `texted` remembers the codes."""

    def __init__(self, tell: Callable[[str], None], texted: TextedCodes) -> None:
        self._tell = tell
        self._texted = texted
        self._conversations = Conversations(capacity=_KEPT_BUBBLES)
        self._demo = Demo()
        self._gateways = 0

    # What pages ask

    def hello(self) -> dict[str, Any]:
        """All that a page shows when it opens, but for the feed."""
        return {
            "type": "hello",
            "handsets": [_handset_json(handset) for handset in handsets.HANDSETS],
            "bubbles": {
                handset.key: [bubble.as_json() for bubble in self._conversations.of(handset.key)]
                for handset in handsets.HANDSETS
            },
            "demo": self._demo_json(),
            "gateways": self._gateways,
        }

    def text(self, operator: Operator, *, handset: str, to: str, text: str) -> str:
        """A handset texts `to`. Returns "" or, for the person at the page, why it was not sent."""
        phone = handsets.by_key(handset)
        if phone is None:
            return "There is no such handset."
        if not (to.isascii() and to.isdigit() and 2 <= len(to) <= 12):
            return "A short number has two to twelve digits."
        if not text.strip() or len(text) > MOST_CHARACTERS:
            return f"A text has 1 to {MOST_CHARACTERS} characters."
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # halves of emoji
        text_id = secrets.token_hex(6)
        try:
            split = operator.text(text_id, phone.number, to, text)
        except QueueFullError as err:
            return str(err)
        bubble = Bubble(
            id=text_id,
            handset=phone.key,
            direction=Direction.TEXTED,
            peer=to,
            text=text,
            encoding=encoding(split.data_coding),
            segments=len(split.parts),
            at=time.time(),
            tick=Tick.SENT if operator.gateways else Tick.WAITING,
        )
        self._conversations.add(bubble)
        self._show(bubble)
        if self._texted.mark(text, phone.holder):
            self.broadcast({"type": "demo", "demo": self._demo_json()})
        return ""

    # What the SMSC tells (smsc.Listener)

    def on_gateways(self, bound: int) -> None:
        """So many binds are up now."""
        self._gateways = bound
        self.broadcast({"type": "gateways", "gateways": bound})

    def on_sent(self, text_id: str, attempt: int) -> None:
        """A text went to a gateway."""
        self._show(self._conversations.progress(text_id, Tick.SENT, time.time(), attempts=attempt))

    def on_verdict(self, text_id: str, verdict: Verdict, status: int) -> None:
        """A gateway decided on a text."""
        if verdict in _TICKS:
            self._show(self._conversations.progress(text_id, _TICKS[verdict], time.time(), status=status))

    def on_reply(self, reply: Reply) -> None:
        """A text for a handset; one for a number that is none of ours is nobody's to show."""
        phone = handsets.by_number(reply.destination)
        if phone is None:
            return
        now = time.time()
        bubble = Bubble(
            id=secrets.token_hex(6),
            handset=phone.key,
            direction=Direction.RECEIVED,
            peer=reply.source,
            text=reply.text,
            encoding=encoding(reply.data_coding),
            segments=reply.segments,
            at=now,
        )
        self._show(self._conversations.answer(phone.key, reply.source, now))
        self._conversations.add(bubble)
        self._show(bubble)

    # What the processes beside it tell

    def on_demo(self, demo: Demo) -> None:
        """The campaign's file has changed."""
        self._demo = demo
        self._texted.use(demo.codes)
        self.broadcast({"type": "demo", "demo": self._demo_json()})

    def broadcast(self, message: dict[str, Any]) -> None:
        """To every open page."""
        self._tell(json.dumps(message, ensure_ascii=False))

    def _show(self, bubble: Bubble | None) -> None:
        if bubble is not None:
            self.broadcast({"type": "bubble", "bubble": bubble.as_json()})

    def _demo_json(self) -> dict[str, Any]:
        return {
            "short_number": self._demo.short_number,
            "firm": self._demo.firm,
            "campaign": self._demo.campaign,
            "fault": self._demo.fault,
            "codes": [
                {"code": code, "texted_by": self._texted.holder(place)}
                for place, code in enumerate(self._demo.codes)
            ],
        }


def encoding(data_coding: int) -> str:
    """How the page names it."""
    return _ENCODINGS.get(data_coding, "GSM-7")


def _handset_json(handset: handsets.Handset) -> dict[str, Any]:
    return {
        "key": handset.key,
        "holder": handset.holder,
        "place": handset.place,
        "language": handset.language,
        "shown_number": handset.shown_number,
        "words": list(handset.words),
    }
