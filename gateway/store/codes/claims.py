"""Claims: the async door to the atomic function in Redis, batched, and closed when Redis has lost
something.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, NamedTuple

from redis.exceptions import RedisError

from config.settings import AnswerSettings, LimitSettings
from gateway.domain.codes.catalog import Issued
from gateway.domain.consent.word import CLOCKS_DIFFER_MS
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.redis.functions import Functions, StoreUnavailable
from gateway.store.redis.functions import script as script  # noqa: PLC0414 - stores find it here, beside its errors


class ClaimCall(NamedTuple):
    """One text for one firm.

    `mode`: T, S or U as the function says, with f, m, n, h and y behind it.
    `consent`: out, in, yes or empty; `out:<ms>`: a no that was said then and is heard only now. `body`: what
    settlement needs, no number and no code in clear.
    """

    firm_id: int
    shopper: str
    digest: str
    codes: tuple[Issued, ...]
    wrong: int
    mode: str
    consent: str
    message_id: str
    body: bytes


class Verdict(NamedTuple):
    """`kind`: A accepted, D re-delivered, L limited and told, Q limited and silent, S silent, X closed,
    O over a limit: a STOP or START was heard and no code looked at.

    `codes`: one letter a code, C<rule version> claimed, R repeat, P paused, N not started, E ended, V voided.
    `first`: for a re-delivery, the verdict that the text got when it was first accepted.
    `quiet`: no answer goes out, nor went to what is re-delivered.
    """

    kind: str
    codes: tuple[str, ...] = ()
    first: str = ""
    quiet: bool = False


_NEVER_ANSWERED: Final = ("Q", "S")


class ClaimStore:
    """`verify` holds Redis against SQL and raises StoreUnavailable while claims of all firms must stay
    closed.
    """

    def __init__(
        self,
        redis: DurableRedis,
        *,
        deployment: str,
        limits: LimitSettings,
        answers: AnswerSettings,
        verify: Callable[[], Awaitable[None]],
    ) -> None:
        self.redis = redis
        self._functions = Functions(redis, verify, "activate")
        self._head = [
            deployment,
            limits.messages_per_minute,
            limits.wrong_codes_per_hour,
            limits.wrong_codes_per_day,
            answers.replies_per_hour,
            answers.hints_per_day,
            answers.redelivery_window_s,
            keys.SEEN_UNSENT_TTL,
            keys.LIMITS_TTL,
            int(answers.consent_reply_d * 86_400_000),
            CLOCKS_DIFFER_MS,
        ]

    async def activate(self, firm_id: int, calls: Sequence[ClaimCall]) -> list[Verdict]:
        """Decide texts of one firm in one atomic call; when it returns they are on disk.

        Raises StoreUnavailable; then some may have been stored, and a re-delivery finds them.
        """
        names, args = self._arguments(firm_id, calls)
        try:
            (raw,) = await self._functions.call("activate", [(len(names), *names, *args)])
        except (RedisError, OSError, TimeoutError) as err:
            raise StoreUnavailable(type(err).__name__) from err
        verdicts = [_verdict(answer) for answer in raw]
        if any(v.kind == "X" for v in verdicts):
            self._functions.doubt(firm_id)
            if all(v.kind == "X" for v in verdicts):
                raise StoreUnavailable("closed: Redis does not hold this firm's claims")
        return verdicts

    def _arguments(self, firm_id: int, calls: Sequence[ClaimCall]) -> tuple[list[str], list[Any]]:
        names = [
            keys.gate(firm_id),
            keys.campaigns(firm_id),
            keys.voided(firm_id),
            keys.outbox(firm_id),
            keys.order(firm_id),
        ]
        args: list[Any] = list(self._head)
        for call in calls:
            names += (
                keys.limits(firm_id, call.shopper),
                keys.seen(firm_id, call.digest),
                keys.consent(firm_id, call.shopper),
            )
            args += (
                len(call.codes),
                call.wrong,
                call.mode,
                call.consent,
                f"{call.shopper}|{call.message_id}",
                call.body,
            )
            for code in call.codes:
                chunk, offset = divmod(code.serial, keys.CHUNK_BITS)
                names += (
                    keys.bits(firm_id, code.space_id, chunk),
                    keys.claim(firm_id, code.space_id, code.serial),
                )
                args += (code.campaign_id, code.batch_id, offset)
        return names, args


def _verdict(raw: bytes) -> Verdict:
    text = raw.decode()
    again = text.startswith("D")
    letter, rest = (text[1:2], text[2:]) if again else (text[:1], text[1:])
    kind, quiet = letter.upper(), letter.islower() or letter in _NEVER_ANSWERED
    if again:
        return Verdict(kind="D", first=kind, codes=_letters(rest), quiet=quiet)
    return Verdict(kind=kind, codes=_letters(rest), quiet=quiet)


def _letters(text: str) -> tuple[str, ...]:
    return tuple(text.split(",")) if text else ()
