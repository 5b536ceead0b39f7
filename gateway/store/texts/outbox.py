"""The outbox of a firm as the worker sees it: accepted texts in order, and their end."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, Future
from typing import Any, NamedTuple

from redis import Redis

from gateway.domain.codes.catalog import Issued
from gateway.domain.consent.word import IN_ORDER, Channel
from gateway.store.links.lease import Holder, is_gone
from gateway.store.redis import keys
from gateway.store.redis.functions import script
from gateway.store.redis.suspects import Suspects

_FORM = "1"  # of the body; a reader that finds another one leaves the entry for the operator
_SEPARATORS = 12
_SHOPPER, _DIGEST = 2, 3  # places in a body
_ENDED_AT_ONCE = 64


class Unreadable(Exception):
    """An outbox entry is not of the form that this version writes."""


class Accepted(NamedTuple):
    """A text whose effect is on disk in Redis and waits for SQL.

    `consent`: in, out or empty. `codes`: (space, serial, campaign); `results`: the claim function's letter
    for each, empty when nothing was looked up. `limited_until`: seconds since 1970, 0 when not limited. `at`:
    when it was accepted, ms since 1970, Redis time; a replayed dead letter keeps it.
    `said_at`: the moment of what it says of consent, in the order of Redis; `speaks_of`: which channels it
    speaks of, `allows`: which are allowed by then.
    """

    outbox_id: str
    firm_id: int
    message_id: str
    shopper: str
    digest: str
    number: bytes  # sealed for a reply
    link: str
    short_number: str
    channel: str
    language: str | None
    services: tuple[str, ...]
    consent: str
    wrong: int
    counted_wrong: int
    muted: bool
    codes: tuple[tuple[int, int, int], ...]
    results: tuple[str, ...]
    limited_until: int
    at: int
    said_at: int = 0
    speaks_of: tuple[Channel, ...] = IN_ORDER
    allows: tuple[Channel, ...] = IN_ORDER


class Reply(NamedTuple):
    """An answer for the sending queue. `sealed`: number and text, for purpose "answer".

    `asked_at`: when it asks for consent to marketing, ms since 1970; 0: it does not.
    """

    message_id: str
    sealed: bytes
    short_number: str
    link: str
    seen: str
    at: int
    segments: int
    asked_at: int = 0


def body(
    *,
    message_id: str,
    shopper: str,
    digest: str,
    link: str,
    short_number: str,
    channel: str,
    language: str | None,
    services: Sequence[str],
    consent: str,
    wrong: int,
    codes: Sequence[Issued],
    number: bytes,
) -> bytes:
    """What settlement needs of a text, for the outbox. `number`: sealed; it stands last, as it is.

    None of the other values can hold the separator: they are ids, words of ours and validated names.
    """
    claims = ";".join([f"{c.space_id}:{c.serial}:{c.campaign_id}" for c in codes])
    head = (
        f"{_FORM}|{message_id}|{shopper}|{digest}|{link}|{short_number}|{channel}|{language or ''}"
        f"|{','.join(services)}|{consent}|{wrong}|{claims}|"
    )
    return head.encode() + number


def parse(firm_id: int, outbox_id: bytes, fields: dict[bytes, bytes]) -> Accepted:
    """An entry as read. Raises Unreadable."""
    try:
        values = fields[b"b"].decode("latin-1").split("|", _SEPARATORS)
        form, message_id, shopper, digest, link, short, channel, language = values[:8]
        services, consent, wrong, claims, number = values[8:]
        if form != _FORM:
            raise ValueError(form)
        results = fields[b"r"].decode()
        at = int(fields.get(b"was", outbox_id).split(b"-", 1)[0])
        return Accepted(
            outbox_id=outbox_id.decode(),
            firm_id=firm_id,
            message_id=message_id,
            shopper=shopper,
            digest=digest,
            number=number.encode("latin-1"),
            link=link,
            short_number=short,
            channel=channel,
            language=language or None,
            services=tuple(services.split(",")) if services else (),
            consent=fields[b"c"].decode() if b"c" in fields else consent,
            wrong=int(wrong),
            counted_wrong=int(fields[b"w"]),
            muted=fields[b"q"] == b"1",
            codes=tuple(_claim(claim) for claim in claims.split(";")) if claims else (),
            results=tuple(results.split(",")) if results else (),
            limited_until=int(fields[b"l"]),
            at=at,
            said_at=int(fields.get(b"o", at)),
            speaks_of=_channels(fields.get(b"g")),
            allows=_channels(fields.get(b"h")),
        )
    except (KeyError, ValueError, TypeError, IndexError) as err:
        raise Unreadable(outbox_id.decode()) from err


def _channels(letters: bytes | None) -> tuple[Channel, ...]:
    """As activate.lua writes them; all where an earlier version has written none."""
    if letters is None:
        return IN_ORDER
    return tuple(channel for channel in IN_ORDER if channel.value[:1].encode() in letters)


def sealed_number(fields: Mapping[bytes, bytes]) -> bytes:
    """The sealed number of an entry, as far as it can be read; else empty."""
    values = fields.get(b"b", b"").split(b"|", _SEPARATORS)
    return values[_SEPARATORS] if len(values) > _SEPARATORS else b""


def with_number(fields: Mapping[bytes, bytes], sealed: bytes) -> dict[bytes, bytes]:
    """The fields of a readable entry with another sealed number."""
    values = fields[b"b"].split(b"|", _SEPARATORS)
    return {**fields, b"b": b"|".join((*values[:_SEPARATORS], sealed))}


def of_nobody(fields: Mapping[bytes, bytes], nobody: str) -> dict[bytes, bytes]:
    """The fields of a readable entry that belongs to a shopper who was erased: nobody is answered."""
    values = fields[b"b"].split(b"|", _SEPARATORS)
    values[_SHOPPER], values[_DIGEST], values[_SEPARATORS] = nobody.encode(), b"", b""
    return {**fields, b"b": b"|".join(values), b"q": b"1"}


def _claim(text: str) -> tuple[int, int, int]:
    space, serial, campaign = text.split(":")
    return int(space), int(serial), int(campaign)


Entry = tuple[bytes, dict[bytes, bytes]]  # id and fields, as Redis gives them


class Outbox:
    """One firm's outbox during one drain, read once from its beginning. `redis` answers bytes.

    `token`, wherever it is asked for: who settles, a `gateway.store.links.lease.Holder` as text.

    An entry that failed is tried again in the next drain, not in this one: what it lacks may come meanwhile.
    `ender`: where settled entries are ended while the next batch is settled; None ends them at once.
    """

    def __init__(self, redis: Redis, firm_id: int, ender: Executor | None = None) -> None:
        self._redis = redis
        self._ender = ender
        self._ending: Future[int] | None = None
        self._read_to = "-"
        self._leased_at = -math.inf
        self.firm_id = firm_id
        self.suspects = Suspects(redis, keys.outbox_spool(firm_id))
        self._settled = redis.register_script(script("settled"))
        self._lease_end = redis.register_script(script("lease_end"))

    def waiting(self) -> bool:
        """Whether texts or what became of answers wait to be settled."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xlen(keys.outbox(self.firm_id))
        pipe.xlen(keys.results(self.firm_id))
        return any(pipe.execute())

    def look(self, count: int) -> tuple[list[Entry], bool]:
        """The next entries, and whether outcomes of answers wait: one round trip. See `taken`."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.xrange(keys.outbox(self.firm_id), min=self._read_to, count=count)
        pipe.xlen(keys.results(self.firm_id))
        rows, results = pipe.execute()
        return rows, bool(results)

    def taken(self, rows: Sequence[Entry]) -> None:
        """These are settled now: the next look goes on behind them."""
        if rows:
            self._read_to = "(" + rows[-1][0].decode()

    def holds(self) -> bool:
        """Whether the lease was taken or renewed lately, so that it need not be asked for."""
        return time.monotonic() - self._leased_at < keys.DRAIN_LEASE_MS / 3000

    def lease(self, token: str) -> bool:
        """Take or renew the right to settle this firm.

        What stands there from a process of this machine that is gone is taken over at once.
        """
        now = time.monotonic()
        if self._take(token) or (self._end_of_the_dead(token) and self._take(token)):
            self._leased_at = now
            return True
        return False

    def _take(self, token: str) -> bool:
        key = keys.drain(self.firm_id)
        if self._redis.set(key, token, nx=True, px=keys.DRAIN_LEASE_MS):
            return True
        if self._redis.get(key) != token.encode():
            return False
        self._redis.pexpire(key, keys.DRAIN_LEASE_MS)
        return True

    def _end_of_the_dead(self, token: str) -> bool:
        key = keys.drain(self.firm_id)
        stands: Any = self._redis.get(key) or b""
        holder, here = Holder.parse(stands.decode()), Holder.parse(token)
        gone = holder is not None and here is not None and is_gone(holder, here)
        return gone and bool(self._lease_end(keys=[key], args=[stands]))

    def release(self, token: str) -> None:
        """Give the lease back; only if it is still ours."""
        self._leased_at = -math.inf
        if self._redis.get(keys.drain(self.firm_id)) == token.encode():
            self._redis.delete(keys.drain(self.firm_id))

    def end_behind(self, done: Sequence[tuple[Accepted, Reply | None]]) -> None:
        """As `end`, while the caller goes on; what went wrong is raised by the next call or `wait_ended`."""
        self.wait_ended()
        if self._ender is None:
            self.end(done)
        else:
            self._ending = self._ender.submit(self.end, done)

    def wait_ended(self) -> None:
        """Until all that was given to `end_behind` is ended. Raises RedisError."""
        ending, self._ending = self._ending, None
        if ending is not None:
            ending.result()

    def end(self, done: Sequence[tuple[Accepted, Reply | None]]) -> int:
        """End settled entries; each answer enters the sending queue in the same atomic call.

        Some at a time, so that Redis serves the intake in between.
        """
        return sum(self._end(done[i : i + _ENDED_AT_ONCE]) for i in range(0, len(done), _ENDED_AT_ONCE))

    def _end(self, done: Sequence[tuple[Accepted, Reply | None]]) -> int:
        names: list[str] = [
            keys.outbox(self.firm_id),
            keys.attempts(self.firm_id),
            keys.settled(self.firm_id),
        ]
        args: list[Any] = []
        for accepted, reply in done:
            claims = [
                keys.claim(self.firm_id, space, serial)
                for (space, serial, _), result in zip(accepted.codes, accepted.results, strict=False)
                if result[0] == "C"
            ]
            fields: list[Any] = []
            if reply is not None:
                names.append(keys.send(self.firm_id, reply.link))
                if reply.asked_at:
                    names.append(keys.consent(self.firm_id, accepted.shopper))
                fields = [
                    *("m", reply.message_id, "x", reply.sealed, "d", reply.short_number),
                    *("s", reply.seen, "t", reply.at),
                ]
            names += claims
            asked_at = reply.asked_at if reply is not None else 0
            count = len(claims) + (reply is not None) + bool(asked_at)
            args += (accepted.outbox_id, count, len(fields), asked_at or "", *fields)
        return int(self._settled(keys=names, args=args))
