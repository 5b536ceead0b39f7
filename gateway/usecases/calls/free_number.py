"""What a call asks of the gateway, each in a time that a caller waits for.

What changes anything but SQL's memory of the person goes through the claims and the outbox, as texts do: the
same limits hold, a repeated wish has no second effect, and what is to leave by SMS leaves later, too.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from config import prompts
from gateway.domain.codes.catalog import Catalog, ShortNumber
from gateway.domain.consent.word import IN_ORDER, Channel, Consent, Said
from gateway.domain.people.alias import alias_of
from gateway.domain.reading.reading import Intent, Reading
from gateway.domain.sms.message_id import RANDOM_OCTETS, message_id
from gateway.store.codes.claims import ClaimCall, Verdict
from gateway.store.redis.functions import StoreUnavailable
from gateway.store.telemetry import measures
from gateway.store.telemetry.metrics import Meter
from gateway.store.vault.vault import Vault
from gateway.usecases.codes import activation
from gateway.usecases.codes.activation import Answered, Claims, Owners, Wish
from gateway.usecases.consent.consents import Change
from gateway.usecases.intake import Incoming, after_host, calls_of

CHANNEL = "call"
ANSWER_WITHIN_S = 3.0  # so long a caller bears silence
KNOWN_WITHIN_S = 1.0  # of it, to ask SQL who calls before the claims are asked


class Away(Exception):
    """Redis or SQL cannot be asked now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasTold:
    """An alias to be said. `digits`: nine or more."""

    digits: str


class KnowsCallers(Protocol):
    """gateway.store.calls.callers. All raise SQLAlchemyError."""

    async def knows(self, key: str) -> bool:
        """Whether there is such a shopper."""

    async def language(self, key: str) -> str | None:
        """The language of a shopper, if known."""

    async def choose_language(self, key: str, number: str, language: str) -> None:
        """Keep a language."""

    async def alias(self, key: str, number: str) -> int:
        """The counter of an alias that is told by call now."""

    async def balance(self, key: str, firm_id: int) -> int:
        """Points at a firm."""


class LetsIn(Protocol):
    """gateway.store.calls.new_caller_limit."""

    async def admit(self) -> bool:
        """Whether one more caller whom nobody knows may come in. Raises RedisError."""


class ChangesConsent(Protocol):
    """gateway.usecases.consent.consents.ConsentDesk."""

    async def change(self, change: Change) -> Mapping[Channel, Said]:
        """In force and recorded. Raises RedisError, SQLAlchemyError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDesk:
    """What calls need at hand. Numbers are E.164 digits without plus; everything raises Away, and in time.

    `alias_key`: of FF1, 32 bytes as hex. `link`: by which one an SMS to a number leaves, empty where none
    carries it. `poke`: an outbox got work.
    """

    catalog: Callable[[], Catalog]
    claims: Claims
    owners: Owners
    callers: KnowsCallers
    newcomers: LetsIn
    consents: ChangesConsent
    vault: Vault
    alias_key: str
    link: Callable[[str], str]
    poke: Callable[[], None]
    meter: Meter

    async def language(self, number: str) -> str | None:
        """uk, ru, kk or en, of a caller's earlier choice or first text; None where there is none."""
        async with _in_time():
            return await self.callers.language(self.vault.index(number))

    async def choose_language(self, number: str, language: str) -> None:
        """Keep a caller's choice: uk, ru, kk or en."""
        async with _in_time():
            await self.callers.choose_language(self.vault.index(number), number, language)

    async def alias(self, number: str) -> AliasTold:
        """A caller's alias, given at the first call.

        It is noted as told by call: it spends nothing until a text has come from the number.
        """
        key = self.vault.index(number)
        async with _in_time():
            if not await self.callers.knows(key):
                await self._let_in()
            counter = await self.callers.alias(key, number)
        return AliasTold(digits=alias_of(counter, self.alias_key))

    async def balance(self, number: str, short_number: str) -> int:
        """A caller's points at the host firm of the short number."""
        async with _in_time():
            return await self.callers.balance(
                self.vault.index(number), self._short(short_number).host_firm_id
            )

    async def text_alias(self, number: str, short_number: str, language: str) -> None:
        """Send a caller the alias by SMS; also later, while SQL is away. Asked for again, it is sent once.

        Over a limit it is Away, too, and where so many SMS were sent that this one will not be: none may be
        promised then.
        """
        async with _in_time():
            if not await self._known(number):
                await self._let_in()
            await self._tell(Intent.ALIAS, number, short_number, language)

    async def agree(self, number: str, short_number: str, language: str, source: str) -> None:
        """A yes to offers by every channel of the host firm, after the question that was heard in `language`.

        `source`: an id of this wish. The number may be forged, so that its owner is told by SMS, with the way
        out; where no SMS will leave, by its link or over a limit, it is Away and no yes. The SMS is on disk
        first: one that tells of a yes without effect harms nobody.
        """
        change = Change(
            firm_id=self._short(short_number).host_firm_id,
            number=number,
            channels=IN_ORDER,
            consent=Consent.GIVEN,
            how=CHANNEL,
            actor="shopper",
            source=source,
            wording=prompts.load(language)[prompts.CONSENT],
        )
        async with _in_time():
            if not await self._known(number):
                await self._let_in()
            await self._tell(Intent.AGREED, number, short_number, language, wish=source)
            await self.consents.change(change)

    async def stop(self, number: str, short_number: str, language: str, *, said_at: int = 0) -> None:
        """No more offers, as by the text STOP; confirmed by SMS. It is heard over any limit.

        `said_at`: of a no that could not be heard at once, ms: a yes that surely came since then stands.
        """
        async with _in_time():
            await self._say(Intent.STOP, number, short_number, language, said_at=said_at)

    async def activate(self, number: str, short_number: str, keyed: str, language: str) -> Answered:
        """Claim the code that a caller has keyed in, under the rules and limits of texts."""
        wish = Wish(
            number=number,
            short_number=self._short(short_number).number,
            codes=(keyed,),
            language=language,
            link=self.link(number),
            channel=CHANNEL,
        )
        async with _in_time():
            answered = await activation.activate(wish, self.catalog(), self.claims, self.owners, self.vault)
        self.poke()
        if answered.fresh:
            for code in answered.codes:
                self.meter.count(measures.CLAIMS, CHANNEL, activation.claim_word(code.outcome))
        return answered

    async def _known(self, number: str) -> bool:
        """As far as can be told: while SQL is away everybody counts as new."""
        try:
            async with asyncio.timeout(KNOWN_WITHIN_S):
                return await self.callers.knows(self.vault.index(number))
        except (SQLAlchemyError, TimeoutError):
            return False

    async def _let_in(self) -> None:
        """A caller whom nobody knows: only so many an hour. Raises Away for one too many.

        Without Redis nothing is sent that costs, so that nobody need be counted.
        """
        with suppress(RedisError, OSError):
            if not await self.newcomers.admit():
                raise Away("too many callers whom nobody knows")

    async def _tell(
        self, intent: Intent, number: str, short_number: str, language: str, *, wish: str = ""
    ) -> None:
        """Have an SMS answer a wish. Raises Away where none will leave.

        `wish`: its id, where each one is told of; without one the same wish within minutes is told of once.
        """
        if not self.link(number):
            raise Away("no link carries texts to this number")
        verdict = await self._say(intent, number, short_number, language, wish=wish)
        if (verdict.first or verdict.kind) in ("L", "Q"):
            raise Away("over a limit")
        if verdict.quiet:
            raise Away("over the SMS of an hour")

    async def _say(
        self,
        intent: Intent,
        number: str,
        short_number: str,
        language: str,
        *,
        said_at: int = 0,
        wish: str = "",
    ) -> Verdict:
        """A wish of one word, decided as the text with this word would be; the verdict of the host firm."""
        incoming = Incoming(
            message_id=message_id(int(time.time() * 1000), os.urandom(RANDOM_OCTETS)),
            number=number,
            short_number=short_number,
            text="|".join(filter(None, (CHANNEL, intent, wish))),
            link=self.link(number),
            channel=CHANNEL,
        )
        reading = Reading(candidates=(), intents=(intent,), language=language, clipped=0)
        calls = calls_of(incoming, reading, self._short(short_number), self.vault)
        if said_at:
            calls = [call._replace(consent=f"{call.consent}:{said_at}") for call in calls]
        verdict = await self._decide(calls)
        self.poke()
        return verdict

    async def _decide(self, calls: Sequence[ClaimCall]) -> Verdict:
        """The host's call first, then what its verdict leaves to other firms. Raises StoreUnavailable."""
        host = await self._one(calls[0])
        for call in after_host(calls, host):
            await self._one(call)
        return host

    async def _one(self, call: ClaimCall) -> Verdict:
        verdict = (await self.claims.activate(call.firm_id, [call]))[0]
        if verdict.kind == "X":
            raise StoreUnavailable("closed")
        return verdict

    def _short(self, number: str) -> ShortNumber:
        """Raises Away where no campaign runs at the short number of a free number."""
        found = self.catalog().short_numbers.get(number)
        if found is None:
            raise Away("no campaign has this short number")
        return found


@asynccontextmanager
async def _in_time() -> AsyncIterator[None]:
    """What the stores raise, and their silence, becomes Away."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            yield
    except (StoreUnavailable, RedisError, SQLAlchemyError, OSError, TimeoutError) as err:
        raise Away(type(err).__name__) from err
