"""What Redis keeps of one person, found and forgotten. Walks through streams: for erasures, not every day.

Not found are records of texts seen (digests of number and words, which nobody can name from the number alone)
and receipts that wait (an index beside an SMSC's id): the first end after the re-delivery window, the second
when a worker has settled them, or found within five minutes that they are of nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from redis import Redis

from gateway.domain.consent.word import Channel
from gateway.store.people.sealed_values import entries, streams
from gateway.store.redis import keys
from gateway.store.redis.functions import script
from gateway.store.texts import outbox
from gateway.store.texts.outbox import Accepted, Unreadable, parse
from gateway.store.texts.parts import SEAL, Origin, unpack
from gateway.store.texts.sendqueue import open_answer, without_basis
from gateway.store.vault.vault import SealBroken, Vault


class Traces:
    """Of the shopper whose index is `shopper`. `redis` answers bytes. All calls raise RedisError."""

    def __init__(self, redis: Redis, firms: Sequence[int], shopper: str) -> None:
        self._redis = redis
        self._firms = firms
        self._shopper = shopper

    def waiting(self) -> Mapping[int, list[str]]:
        """Texts that wait for settlement: firm -> ids of their answers."""
        found = {
            firm: [f"{text.message_id}.{firm}" for _, _, text in self._texts(keys.outbox(firm))]
            for firm in self._firms
        }
        return {firm: ids for firm, ids in found.items() if ids}

    def laid_aside(self) -> bool:
        """Whether there are dead letters."""
        return any(True for firm in self._firms for _ in self._texts(keys.dead(firm)))

    def words(self) -> Mapping[int, str]:
        """The word on consent that stands, by firm."""
        found: dict[int, str] = {}
        for firm in self._firms:
            stands: Any = self._redis.get(keys.consent(firm, self._shopper))
            if stands:
                found[firm] = stands.decode()
        return found

    def forget(self, stops: Mapping[int, str]) -> None:
        """Counters, contacts, PINs, and every yes. `stops`: firm -> the word of refusal that must stand."""
        forget = self._redis.register_script(script("forget"))
        for firm in self._firms:
            self._forget_outcomes(keys.results_spool(firm).aside)
            names = [keys.limits(firm, self._shopper), keys.consent(firm, self._shopper)]
            forget(keys=names, args=[stops.get(firm, "")])
        self._redis.delete(*(keys.contacts(channel, self._shopper) for channel in Channel))
        self._redis.delete(keys.pin(self._shopper), keys.pins_for_number(self._shopper))

    def _forget_outcomes(self, name: str) -> None:
        """Outcomes that were laid aside lose what their contact stood on: of the erased none is kept."""
        rewrite = self._redis.register_script(script("rewrite"))
        for id_, fields in list(entries(self._redis, name)):
            lines = fields.get(b"j", b"").split(b"\n")
            kept = [without_basis(line) if self._shopper.encode() in line else line for line in lines]
            if kept != lines:
                pairs = [part for pair in {**fields, b"j": b"\n".join(kept)}.items() for part in pair]
                rewrite(keys=[name], args=[id_, "", *pairs])

    def give_to(self, nobody: str) -> int:
        """Dead letters with their claims belong to `nobody` from now on; how many."""
        rewrite = self._redis.register_script(script("rewrite"))
        count = 0
        for firm in self._firms:
            name = keys.dead(firm)
            for id_, fields, text in list(self._texts(name)):
                claims = [
                    keys.claim(firm, space, serial)
                    for (space, serial, _), result in zip(text.codes, text.results, strict=False)
                    if result[0] == "C"
                ]
                pairs = [part for pair in outbox.of_nobody(fields, nobody).items() for part in pair]
                owner = f"{nobody}|{text.message_id}"
                count += int(rewrite(keys=[name, *claims], args=[id_, owner, *pairs]))
                self._redis.delete(keys.seen(firm, text.digest))
        return count

    def _texts(self, name: str) -> Iterator[tuple[bytes, dict[bytes, bytes], Accepted]]:
        for id_, fields in entries(self._redis, name):
            try:
                text = parse(keys.firm_of(name.encode()), id_, fields)
            except Unreadable:
                continue
            if text.shopper == self._shopper:
                yield id_, fields, text


def drop_texts(redis: Redis, ids: frozenset[str]) -> list[str]:
    """Drop texts that wait to be sent, by their ids; which of them were never begun. Raises RedisError."""
    return _drop(redis, lambda fields: fields[b"m"].decode() in ids)


def drop_pins(redis: Redis, vault: Vault, number: str) -> int:
    """Drop the PINs that wait to be sent to a number: they stand in no ledger. Raises RedisError."""

    def is_theirs(fields: Mapping[bytes, bytes]) -> bool:
        try:
            return b"u" in fields and open_answer(vault, fields[b"x"])[0] == number
        except SealBroken:
            return False

    return len(_drop(redis, is_theirs))


def drop_parts(redis: Redis, vault: Vault, is_theirs: Callable[[Origin], bool]) -> int:
    """Forget the parts of long texts that wait; how many messages. Raises RedisError."""
    forget = redis.register_script(script("part_forget"))
    count = 0
    for name in redis.scan_iter(match=keys.parts("*"), count=1000, _type="hash"):
        fields: Any = redis.hgetall(name)
        sealed = next((value for field, value in fields.items() if field.startswith(b"p")), b"")
        try:
            origin, _ = unpack(vault.open(SEAL, sealed))
        except SealBroken:
            continue
        if is_theirs(origin):
            count += int(forget(keys=[name, keys.parts_due()]))
    return count


def _drop(redis: Redis, is_theirs: Callable[[Mapping[bytes, bytes]], bool]) -> list[str]:
    drop = redis.register_script(script("drop"))
    unbegun = []
    for name in streams(redis):
        if keys.kind_of(name) != "send":
            continue
        firm, (link, priority) = keys.firm_of(name), keys.sent_by(name)
        for id_, fields in list(entries(redis, name)):
            if not is_theirs(fields):
                continue
            seen = fields[b"s"].decode()
            names: list[bytes | str] = [name, keys.intents(firm, link)]
            if seen:
                names.append(keys.seen(firm, seen))
            if int(drop(keys=names, args=[id_, keys.intent(priority, id_.decode())])) == 0:
                unbegun.append(fields[b"m"].decode())
    return unbegun
