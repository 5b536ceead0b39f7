"""Long messages: from parts as they arrive to whole ones, and what is left of those that never end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from gateway.domain.sms.data_coding import NO_OVERRIDES, Alphabet, alphabet_of
from gateway.domain.sms.said_coding import spoken
from gateway.store.texts.parts import Origin, Overdue, WaitingPart
from smpp.protocol.pdus import DeliverSm


class Keeper(Protocol):
    """Keeps parts on disk: gateway.store.texts.parts.PartKeeper."""

    async def put(self, parts: Sequence[WaitingPart], now: float) -> list[bytes | None]:
        """Store parts; the joined body for each whose message is whole with it."""

    async def end(self, parts: Sequence[WaitingPart]) -> None:
        """The whole messages that these parts belong to had their effect."""

    async def due(self, now: float, limit: int = 100) -> list[Overdue]:
        """Messages that are over their time."""

    async def drop(self, overdue: Overdue) -> bool:
        """End a message that was over its time."""


class Reassembly:
    """Joins the parts of all links of a process.

    `clock`: seconds of the wall clock, which outlives us. `codings`: link -> its own meanings of data_coding.
    """

    def __init__(
        self,
        keeper: Keeper,
        clock: Callable[[], float] = time.time,
        codings: Mapping[str, Mapping[int, Alphabet]] = MappingProxyType({}),
    ) -> None:
        self._keeper = keeper
        self._clock = clock
        self._codings = codings

    async def join(self, messages: Sequence[DeliverSm], links: Sequence[str]) -> list[DeliverSm | None]:
        """Store parts, each from the link named beside it; on disk when this returns.

        For each part the whole message with its `sequence`, if nothing is missing any more; None while it
        waits: then it may be acknowledged. A part that comes again after its message was whole gives the same
        whole message again. `end` must follow once the text had its effect. Raises RedisError.
        """
        bodies = await self._keeper.put(_parts(messages, links), self._clock())
        return [
            None if body is None else message._replace(body=body, part=None)
            for message, body in zip(messages, bodies, strict=True)
        ]

    async def end(self, messages: Sequence[DeliverSm], links: Sequence[str]) -> None:
        """The whole texts of these messages (as they came, each a part) had their effect.

        If this does not happen they are handed on by `overdue`. Raises RedisError.
        """
        await self._keeper.end(_parts(messages, links))

    async def overdue(self, limit: int = 100) -> list[tuple[Overdue, DeliverSm]]:
        """What came of messages that are over their time, to be read as they are, then given to `drop`.

        It came over `Overdue.origin.link`, and nobody waits for an answer (`sequence` 0). Where parts are
        missing the text has a line break, so that the ends of two parts are not read as one code.
        """
        due = await self._keeper.due(self._clock(), limit)
        return [(overdue, _text_of(overdue, self._alphabet(overdue.origin))) for overdue in due]

    async def drop(self, overdue: Overdue) -> bool:
        """It had its effect. False if another part has come meanwhile: it will be due again."""
        return await self._keeper.drop(overdue)

    def _alphabet(self, origin: Origin) -> Alphabet:
        overrides = self._codings.get(origin.link, NO_OVERRIDES)
        return alphabet_of(origin.data_coding, overrides=overrides)


def _parts(messages: Sequence[DeliverSm], links: Sequence[str]) -> list[WaitingPart]:
    return [_waiting(message, link) for message, link in zip(messages, links, strict=True)]


def _waiting(message: DeliverSm, link: str) -> WaitingPart:
    if message.part is None:
        raise ValueError("a whole message has no parts to wait for")
    reference, total, number = message.part
    return WaitingPart(
        origin=Origin(
            link=link,
            source=message.source,
            source_ton=message.source_ton,
            source_npi=message.source_npi,
            destination=message.destination,
            data_coding=message.data_coding,
        ),
        reference=reference,
        total=total,
        number=number,
        body=message.body,
    )


def _text_of(overdue: Overdue, alphabet: Alphabet) -> DeliverSm:
    origin = overdue.origin
    *pieces, last = overdue.pieces
    gap = b"\n"  # the line feed is 0x0A in every other alphabet
    codec = spoken(b"".join((*pieces, last)), alphabet) or alphabet
    if codec in ("ucs2", "utf-16-be", "utf-16-le", "utf-16"):  # half a unit before a gap would shift the rest
        little = codec == "utf-16-le" or overdue.pieces[0][:2] == b"\xff\xfe"
        pieces, gap = [piece[: len(piece) & ~1] for piece in pieces], b"\n\0" if little else b"\0\n"
    return DeliverSm(
        0,
        origin.source,
        origin.source_ton,
        origin.source_npi,
        origin.destination,
        0,
        origin.data_coding,
        gap.join((*pieces, last)),
    )
