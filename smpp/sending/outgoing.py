"""A text on its way out: its segments as submit_sm PDUs, and what has become of each so far."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from config.link_settings import LinkSettings
from gateway.domain.policy.basis import Basis
from gateway.domain.sms.priority import Priority
from gateway.domain.sms.segments import Segments, split
from gateway.store.texts.sendqueue import Waiting
from gateway.usecases.consent.gate import Verdict
from smpp.protocol.concatenation import header
from smpp.protocol.pdus import Part, SubmitSm

_CONCATENATED = 0x40  # esm_class: a user data header stands at the head
_MOST_REFERENCES = 50_000
_LEAST_VALIDITY_S = 60


@dataclass(slots=True, kw_only=True, eq=False)
class Outgoing:
    """The parts that wait for room, and those that wait for a response."""

    waiting: Waiting
    destination: str = field(repr=False)  # asyncio shows what a callback was given when one fails
    parts: deque[SubmitSm]
    segments: tuple[SubmitSm, ...]  # all parts, in order
    ids: list[str]  # the SMSC's, of each segment that it took
    open: int
    begun_at: float
    touched: bool = False  # something of it was submitted and not refused
    noted: bool = True  # its intent stands on disk
    stands_back: bool = False  # it waits for long: its intent is to be taken back
    taken: int = 0  # parts that the SMSC took
    has_turn: bool = False  # of the texts to this phone it is the one on its way
    refusals: dict[int, int] = field(default_factory=dict)  # status -> how often
    again: list[SubmitSm] = field(default_factory=list)
    delay_s: float = 0.0
    unknown: bool = False
    error: str | None = None
    verdict: Verdict | None = None  # the gate's last word on marketing
    in_ledger: bool = False  # the ledger has noted that it leaves: what only Redis forgets stays known
    denied: str | None = None  # why its further parts may not leave

    @property
    def smsc_id(self) -> str | None:
        """The answer's: that of its last part, or of another one that the SMSC took."""
        return next((id_ for id_ in reversed(self.ids) if id_), None)

    @property
    def filed_ids(self) -> tuple[str, ...]:
        """Those of all parts where each will have its receipt; none for an answer of one part."""
        asked = len(self.ids) > 1 and self.segments[0].registered_delivery and any(self.ids)
        return tuple(self.ids) if asked else ()

    def took(self, segment: SubmitSm, smsc_id: str) -> None:
        """The SMSC has taken a part."""
        self.ids[self.segments.index(segment)] = smsc_id
        self.taken += 1

    def give_up_rest(self, reason: str) -> None:
        """No further part leaves; those that did still get their responses."""
        self.denied = reason
        self.open -= len(self.parts)
        self.parts.clear()
        self.again = []

    @property
    def basis(self) -> Basis | None:
        """What the gate allowed it on, if anything of it was submitted."""
        return self.verdict.basis if self.verdict is not None and self.touched else None

    @property
    def priority(self) -> Priority:
        """What leaves first."""
        return self.waiting.priority


class References:
    """Counts up for each destination, so that two long texts to one phone do not mix."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    def next(self, number: str) -> int:
        """0 to 255."""
        if len(self._last) > _MOST_REFERENCES:
            self._last.clear()
        reference = (self._last.get(number, hash(number) & 0xFF) + 1) & 0xFF
        self._last[number] = reference
        return reference


def prepare(
    waiting: Waiting,
    number: str,
    text: str,
    settings: LinkSettings,
    references: References,
    *,
    now: float,
    now_ms: int,
) -> Outgoing:
    """A text with its segments. `number`: E.164 digits. `now`: monotonic seconds; `now_ms`: since 1970.

    Raises TooManyPartsError.
    """
    segments = split(
        text,
        default_alphabet=settings.zero_means,
        ucs2=settings.ucs2_coding,
        plain=settings.replace_look_alikes,
    )
    bodies = [_turned(body) for body in segments.parts] if _is_little(segments, settings) else segments.parts
    total = len(bodies)
    reference = references.next(number) if total > 1 else 0
    # What is soon of no use has no row to note its receipt in; marketing that expires has one.
    receipt = settings.receipts and (not waiting.until or waiting.gated)
    parts = [
        SubmitSm(
            source=waiting.short_number,
            source_ton=settings.source_ton,
            source_npi=settings.source_npi,
            destination=number,
            dest_ton=settings.dest_ton,
            dest_npi=settings.dest_npi,
            esm_class=_CONCATENATED if total > 1 else 0,
            data_coding=segments.data_coding,
            body=header(Part(reference, total, at)) + body if total > 1 else body,
            registered_delivery=1 if receipt else 0,
            validity_period=validity(waiting, settings, now_ms),
        )
        for at, body in enumerate(bodies, 1)
    ]
    return Outgoing(
        waiting=waiting,
        destination=number,
        parts=deque(parts),
        segments=tuple(parts),
        ids=[""] * total,
        open=total,
        begun_at=now,
    )


def _is_little(segments: Segments, settings: LinkSettings) -> bool:
    return segments.encoding == "ucs2" and settings.ucs2_little


def _turned(body: bytes) -> bytes:
    """UTF-16 with the octets of each unit the other way round."""
    turned = bytearray(len(body))
    turned[::2], turned[1::2] = body[1::2], body[::2]
    return bytes(turned)


def validity(waiting: Waiting, settings: LinkSettings, now_ms: int) -> str:
    """How long the SMSC may try (SMPP 3.4, 5.2.16, in the relative form of 7.1.1.1); "": its own time.

    A text that is soon of no use is not delivered afterwards; for others the link's setting holds.
    """
    seconds = (waiting.until - now_ms) // 1000 if waiting.until else int(settings.validity_s)
    if seconds <= 0 and not waiting.until:
        return ""
    minutes, second = divmod(max(seconds, _LEAST_VALIDITY_S), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    month, day = divmod(min(days, 99 * 30), 30)
    return f"00{month:02}{day:02}{hour:02}{minute:02}{second:02}000R"
