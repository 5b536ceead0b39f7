"""Two SMPP processes on one link, and two links of which one goes away."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio
from aiohttp import ClientSession

from gateway.entry.links.holding import HELD_FOR_S
from gateway.store.redis import keys
from gateway.usecases.operations.link_choice import LOOK_EVERY_S
from tests.acceptance.phone import Shopper
from tests.acceptance.promotion import Supply, running_campaign
from tests.acceptance.stand import Stand, standing
from tests.conftest import any_smsc
from tests.databases import Databases
from tests.harness import Gateway
from tests.peers.smsc import Behaviour

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

ONE, TWO = "one", "two"
CREDITED: Final = "Code accepted: +10 points. Balance: 10."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory, database: Databases) -> AsyncIterator[Stand]:
    """Two SMSCs; what link `one` cannot send leaves by `two`."""
    smscs = {ONE: any_smsc(), TWO: any_smsc()}
    link = {"reconnect_max_s": 1.0, "failover_after_s": 1.0}
    own = {ONE: {"fallbacks": [TWO]}}
    async with standing(
        tmp_path_factory.mktemp(f"standby-{database.kind}"), smscs, link=link, own=own
    ) as stand:
        yield stand


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supply(stand: Stand) -> Supply:
    return await running_campaign(stand)


def holder(gateway: Gateway, link: str) -> int | None:
    """The process that holds a link."""
    with closing(gateway.redis()) as redis:
        found: Any = redis.get(keys.lease(link))
    return int(found.split()[1]) if found else None


async def until(stand: Stand, true: Callable[[], bool], complaint: str) -> float:
    """Wait for it; the seconds that it took."""
    begun = time.monotonic()
    await stand.gateway.until(true, complaint, timeout_s=30, every_s=0.02)
    return time.monotonic() - begun


async def test_a_shopper_is_answered_by_another_link_while_theirs_is_gone(
    stand: Stand, supply: Supply
) -> None:
    one, two = stand.smscs[ONE], stand.smscs[TWO]
    shopper, code = stand.shopper(), supply.next()

    async def answered() -> None:
        await until(stand, lambda: bool(two.sent_to(shopper.number)), "no answer by the other link")

    one.behave(Behaviour(no_answer=True))  # it takes the answer and says nothing: nobody knows
    assert await stand.text(ONE, shopper, code.printed) == 0
    await one.wait_submitted(lambda all_: any(s.destination == shopper.number for s in all_))
    await one.restart(answered)
    one.behave(Behaviour())
    (sent,) = two.sent_to(shopper.number)
    assert (sent.source, sent.body.decode()) == ("4040", CREDITED)
    await until(stand, lambda: states(stand, shopper) == ["accepted"], "the answer has no outcome")
    assert [reply.attempts for reply in stand.stored(shopper).replies] == [2]  # possibly doubled, and marked
    doubled = "undercap_answers_possibly_doubled_total"
    await until(stand, lambda: stand.counted(doubled, link=TWO) == 1, "the doubt is not counted")
    await one.wait_bound()
    another = stand.shopper()
    assert await stand.exchange(ONE, another, supply.next().printed) == CREDITED
    assert (len(two.sent_to(shopper.number)), two.sent_to(another.number)) == (1, [])


def states(stand: Stand, shopper: Shopper) -> list[str]:
    return [reply.state for reply in stand.stored(shopper).replies]


async def test_a_pin_leaves_by_a_link_that_lives(stand: Stand, supply: Supply) -> None:
    """Nobody has texted: the link is chosen by prefix, weight and health."""
    del supply
    one, two = stand.smscs[ONE], stand.smscs[TWO]
    people = [stand.shopper() for _ in range(3)]

    async def asked() -> None:
        await until(stand, lambda: link_states(stand)[ONE] != "bound", "the dead link is told as bound")
        await asyncio.sleep(LOOK_EVERY_S)  # the API looks so often
        for shopper in people:
            await ask_pin(stand, shopper)
        await until(stand, lambda: all(two.sent_to(s.number) for s in people), "no PIN by the other link")

    await one.restart(asked)
    await one.wait_bound()
    assert [len(two.sent_to(shopper.number)) for shopper in people] == [1, 1, 1]


async def ask_pin(stand: Stand, shopper: Shopper) -> None:
    """As our own page does."""
    api = re.search(r"API\W+(http://127\.0\.0\.1:\d+)", log_of(stand.gateway, "up"))
    assert api is not None
    body = {"phone": f"+{shopper.number}", "short_number": "4040", "language": "en"}
    pins = f"{api[1]}/v1/web/pins"
    async with ClientSession(headers={"Origin": api[1]}) as http, http.post(pins, json=body) as response:
        assert response.status == 202


def link_states(stand: Stand) -> dict[str, str]:
    """In which states the holders say that their links are."""
    return {name: told(stand, name).get("state", "unheld") for name in stand.smscs}


def told(stand: Stand, link: str) -> dict[str, Any]:
    """What the holder of a link tells of it; nothing when nobody holds it."""
    with closing(stand.gateway.redis()) as redis:
        said: Any = redis.get(keys.link_status(link))
    return dict(json.loads(said)) if said else {}


async def test_a_standby_takes_over_when_the_holder_is_killed(stand: Stand, supply: Supply) -> None:
    gateway = stand.gateway
    first = gateway.pid("smpp")
    assert first == holder(gateway, ONE)
    gateway.start("smpp")  # a second one, beside that of `up`
    await until(stand, lambda: "stands by" in log_of(gateway, "smpp"), "the second does not stand by")
    assert holder(gateway, ONE) == first

    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(stand, lambda: holder(gateway, ONE) not in (None, first), "nobody took over")
    for smsc in stand.smscs.values():
        await smsc.wait_bound()
    assert await stand.exchange(ONE, stand.shopper(), supply.next().printed) == CREDITED


async def test_a_frozen_holder_loses_the_link_and_sends_nothing_when_it_wakes(
    stand: Stand, supply: Supply
) -> None:
    gateway = stand.gateway
    frozen = holder(gateway, ONE)
    assert frozen is not None
    os.kill(frozen, signal.SIGSTOP)
    try:
        took_s = await until(stand, lambda: holder(gateway, ONE) not in (None, frozen), "nobody took over")
        assert took_s < HELD_FOR_S + 3
        shopper = stand.shopper()
        one = stand.smscs[ONE]
        await until(stand, lambda: len(one.bound) >= 2, "the other one did not bind")
    finally:
        os.kill(frozen, signal.SIGCONT)
    await until(stand, lambda: len(one.bound) == 1, "the one that was frozen did not let go")
    assert holder(gateway, ONE) != frozen
    assert await stand.exchange(ONE, shopper, supply.next().printed) == CREDITED


async def test_a_holder_that_slept_through_anothers_term_forgets_what_it_held(
    stand: Stand, supply: Supply
) -> None:
    """Its text waits to be tried again when it freezes; another sends it, and is gone before it wakes."""
    gateway, one, shopper = stand.gateway, stand.smscs[ONE], stand.shopper()
    sleeper = holder(gateway, ONE)
    assert sleeper is not None
    message_queue_full = 0x14
    one.behave(Behaviour(throttle_next=1, throttle_status=message_queue_full))
    assert await stand.text(ONE, shopper, supply.next().printed) == 0
    await until(stand, lambda: told(stand, ONE).get("throttled") == 1, "it did not read the refusal")
    os.kill(sleeper, signal.SIGSTOP)
    try:
        await until(stand, lambda: holder(gateway, ONE) not in (None, sleeper), "nobody took over")
        assert await stand.answers(ONE, shopper) == [CREDITED]
        other = holder(gateway, ONE)
        assert other not in (None, sleeper)
        os.kill(other or 0, signal.SIGKILL)
        await until(stand, lambda: holder(gateway, ONE) is None, "the lease of the dead does not run out")
    finally:
        os.kill(sleeper, signal.SIGCONT)
    await until(stand, lambda: holder(gateway, ONE) == sleeper, "the one that woke did not take it up again")
    await until(stand, lambda: len(one.bound) == 1, "the bind of the one that was killed stands on")
    assert await stand.exchange(ONE, stand.shopper(), supply.next().printed) == CREDITED
    assert len(one.sent_to(shopper.number)) == 1


def log_of(gateway: Gateway, role: str) -> str:
    return Path(gateway.state / f"{role}.log").read_text(encoding="utf-8")


async def test_segments_a_second_hold_for_the_whole_account(tmp_path: Path) -> None:
    """Two links of one account share its pace."""
    smscs = {ONE: any_smsc(), TWO: any_smsc()}
    link = {"segments_per_s": 10.0, "account": "operator"}
    async with standing(tmp_path, smscs, link=link) as stand:
        await running_campaign(stand, codes=3)
        shoppers = [stand.shopper() for _ in range(30)]
        begun = time.monotonic()
        await asyncio.gather(
            *(stand.text((ONE, TWO)[n % 2], shopper, "BALANCE") for n, shopper in enumerate(shoppers))
        )
        await asyncio.gather(
            *(stand.answers((ONE, TWO)[n % 2], shopper) for n, shopper in enumerate(shoppers))
        )
        assert time.monotonic() - begun >= (len(shoppers) - 3) / 10.0
