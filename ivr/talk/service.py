"""A script's wishes, put to the gateway: a Do in, its event out, bounded in time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from gateway.domain.answers.outcome import Outcome
from gateway.usecases.calls.free_number import AliasTold
from gateway.usecases.calls.free_number import Away as GatewayAway
from ivr.talk.desk import Desk
from ivr.talk.steps import Away, Counted, Do, Done, Event, Found, Judged, Service

WITHIN_S: Final = 4.0  # the desk bounds each of its own steps below this


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, at which short number. `wish`: an id of this one wish."""

    number: str = field(repr=False)
    short_number: str
    wish: str


async def serve(do: Do, asker: Asker, desk: Desk) -> Event:
    """Have it done for a caller; Away when it cannot be, or not in time."""
    try:
        async with asyncio.timeout(WITHIN_S):
            return await _serve(do, asker, desk)
    except (GatewayAway, TimeoutError):
        return Away()


async def _serve(do: Do, asker: Asker, desk: Desk) -> Event:
    number, short_number = asker.number, asker.short_number
    match do.service:
        case Service.LOOK_UP:
            return await _look_up(number, desk)
        case Service.BALANCE:
            return Counted(await desk.balance(number, short_number))
        case Service.ACTIVATE:
            answered = await desk.activate(number, short_number, do.keyed, do.language)
            if not answered.codes:
                return Judged(Outcome.INVALID)
            return Judged(answered.codes[0].outcome, answered.codes[0].points)
        case Service.TEXT_ALIAS:
            await desk.text_alias(number, short_number, do.language)
        case Service.CHOOSE_LANGUAGE:
            await desk.choose_language(number, do.language)
        case Service.AGREE:
            await desk.agree(number, short_number, do.language, asker.wish)
        case Service.STOP:
            await desk.stop(number, short_number, do.language)
    return Done()


async def _look_up(number: str, desk: Desk) -> Found:
    """Both at once; either may be away without the other."""
    language, alias = await asyncio.gather(desk.language(number), desk.alias(number), return_exceptions=True)
    for strange in (language, alias):
        if isinstance(strange, BaseException) and not isinstance(strange, GatewayAway):
            raise strange
    return Found(
        language=language if isinstance(language, str) else None,
        alias=alias.digits if isinstance(alias, AliasTold) else None,
    )
