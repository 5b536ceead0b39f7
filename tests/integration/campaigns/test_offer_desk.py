"""What a callee's keys do on the real Valkey and SQLite: the offer by SMS once, and a no that holds."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from config import policies
from gateway.domain.consent.word import Channel
from gateway.domain.offers.callee import Callee
from gateway.domain.policy.verdict import Allow
from gateway.domain.sms.priority import Priority
from gateway.store.calls.spool import FOLDER, WishBook
from gateway.store.consent.gate import GateStore
from gateway.store.files import private_file
from gateway.store.offers.blasts import Blast
from gateway.store.offers.requested_texts import AskedOffers
from gateway.store.redis import keys
from gateway.store.redis.durable import DurableRedis
from gateway.store.texts.sendqueue import open_answer
from gateway.usecases.calls import offer_keys
from gateway.usecases.calls.free_number import Away, CallDesk
from gateway.usecases.calls.offer_keys import OfferDesk
from gateway.usecases.consent.gate import Gate, Question
from tests.integration.campaigns.market import NOON, Market
from tests.integration.house import LINK, SHORT, ended

WITHIN_S = 10.0


class Scene:
    """A blast that runs, and one callee of it. `links`: by which one SMS leave; "" by none."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.house = market.house
        (self.number,) = market.shoppers(1, language="en", points=1)
        self.blast: Blast = market.launched()
        (self.shopper,) = [id_ for id_, _ in self.house.rows("shopper", "id", "key")]
        self.link = LINK

    @property
    def callee(self) -> Callee:
        return Callee(
            shopper_id=self.shopper,
            number=self.number,
            firm_id=self.market.firm,
            blast_id=self.blast.id,
            short_number=SHORT,
            language="en",
        )

    @property
    def wishes(self) -> list[Path]:
        return list((self.house.state / FOLDER).glob("*"))

    def desk(self, refusals: offer_keys.Refusals | None = None) -> OfferDesk:
        """A desk of its own, as of another process."""
        book = WishBook(self.house.state / FOLDER, self.house.vault)
        book.open()
        redis = DurableRedis(self.house.client)
        return OfferDesk(
            catalog=lambda: self.house.catalog,
            engine=self.house.engine,
            refusals=refusals or self.house.call_desk(),
            asked=AskedOffers(redis, self.house.engine, self.house.vault),
            link=lambda _: self.link,
            book=book,
        )

    async def gate(self) -> list[bool]:
        """Whether a text and a call of this blast may leave to the callee."""
        store = GateStore(
            DurableRedis(self.house.client),
            deployment=self.house.deployment,
            verify=self.house._verify,
            offset_s=NOON // 1000 - int(time.time()),  # in the hours of the pack
        )
        gate = Gate(store, policies.load())
        asked = [
            Question(
                contact=f"{channel}-{time.monotonic()}",
                firm_id=self.market.firm,
                shopper=self.house.vault.index(self.number),
                number=self.number,
                blast=str(self.blast.id),
                channel=channel,
            )
            for channel in Channel
        ]
        return [
            verdict is not None and isinstance(verdict.decision, Allow) for verdict in await gate.ask(asked)
        ]

    def sent(self) -> list[tuple[Priority, str, str]]:
        """What waits to leave: how soon, to whom, and the text."""
        found = []
        for name in keys.sends(self.market.firm, LINK):
            rows: Any = self.house.redis.xrange(name)
            for _, fields in rows:
                number, text = open_answer(self.house.vault, fields[b"x"])
                found.append((keys.sent_by(name.encode())[1], number, text))
        return found


@pytest.fixture
async def scene(market: Market) -> Scene:
    return Scene(market)


# The offer by SMS


async def test_the_offer_leaves_as_a_reply_in_the_words_of_the_blast(scene: Scene) -> None:
    await scene.desk().send_offer(scene.callee)
    assert scene.sent() == [(Priority.REPLY, scene.number, "Hello! 1 point at Acme. STOP to refuse")]
    ((kind, state, blast),) = scene.house.rows("message", "kind", "state", "blast_id")
    assert (kind, state, blast) == ("asked", "queued", None)


async def test_it_leaves_once_however_often_it_is_asked_for(scene: Scene) -> None:
    await asyncio.gather(*(scene.desk().send_offer(scene.callee) for _ in range(5)))
    assert len(scene.sent()) == 1
    queue = scene.house.send_queue()
    (waiting,) = await queue.take(scene.market.firm, 10)
    await queue.file([ended(waiting)])
    scene.house.drain()
    await scene.desk().send_offer(scene.callee)
    assert scene.sent() == []
    assert scene.house.rows("message", "state") == [("accepted",)]


async def test_a_crash_between_row_and_queue_costs_no_text(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scene.desk()
    with monkeypatch.context() as broken:
        broken.setattr(AskedOffers, "put", _notes_only)
        await desk.send_offer(scene.callee)
    assert (scene.sent(), len(scene.house.rows("message", "id"))) == ([], 1)
    await desk.send_offer(scene.callee)
    assert len(scene.sent()) == 1


async def _notes_only(self: AskedOffers, callee: Callee, link: str, text: str) -> None:
    await asyncio.to_thread(self._note, callee, link, text)


async def test_where_no_link_carries_it_it_leaves_when_one_does(scene: Scene) -> None:
    desk = scene.desk()
    scene.link = ""
    with pytest.raises(Away):
        await desk.send_offer(scene.callee)
    await desk.catch_up()
    assert (scene.sent(), len(scene.wishes)) == ([], 1)
    scene.link = LINK
    await desk.catch_up()
    assert (len(scene.sent()), scene.wishes) == (1, [])


async def test_an_offer_that_could_not_be_sent_for_minutes_is_given_up(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = scene.desk()
    scene.link = ""
    with pytest.raises(Away):
        await desk.send_offer(scene.callee)
    monkeypatch.setattr(offer_keys, "LIVES_MS", -1000)
    scene.link = LINK
    await desk.catch_up()
    assert (scene.sent(), scene.wishes) == ([], [])


# No more offers


async def test_a_no_is_in_force_at_once_for_both_channels(scene: Scene) -> None:
    assert await scene.gate() == [True, True]
    await scene.desk().refuse(scene.callee)
    assert await scene.gate() == [False, False]
    assert scene.wishes == []
    scene.house.drain()
    entries = scene.house.rows("consent_entry", "channel", "state", "how")
    assert sorted(entries) == [("call", "withdrawn", "call"), ("sms", "withdrawn", "call")]


async def test_a_no_covers_every_firm_of_the_short_number(scene: Scene) -> None:
    scene.house.firm("bravo")
    scene.house.campaign("bravo")
    scene.house.redis.set(keys.consent(2, scene.house.vault.index(scene.number)), "in:1")
    await scene.desk().refuse(scene.callee)
    assert [scene.house.consent(scene.number, firm) for firm in (1, 2)] == ["out", "out"]


class Gone:
    """Redis is away until it is `back`."""

    def __init__(self, desk: CallDesk) -> None:
        self._desk = desk
        self.back = False

    async def stop(self, number: str, short_number: str, language: str, *, said_at: int = 0) -> None:
        if not self.back:
            raise Away("gone")
        await self._desk.stop(number, short_number, language, said_at=said_at)


async def test_a_no_that_cannot_be_stored_is_on_disk_until_it_is(scene: Scene) -> None:
    gone = Gone(scene.house.call_desk())
    desk = scene.desk(gone)
    with pytest.raises(Away):
        await desk.refuse(scene.callee)
    (file,) = scene.wishes
    assert scene.number not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    running = asyncio.create_task(desk.run())
    gone.back = True
    async with asyncio.timeout(WITHIN_S):
        while scene.wishes:  # noqa: ASYNC110 - what stands on a disk
            await asyncio.sleep(0.02)
    running.cancel()
    assert await scene.gate() == [False, False]


async def test_the_next_process_does_what_a_killed_one_has_left(scene: Scene) -> None:
    with pytest.raises(Away):
        await scene.desk(Gone(scene.house.call_desk())).refuse(scene.callee)
    await scene.desk().catch_up()
    assert await scene.gate() == [False, False]
    assert scene.wishes == []


async def test_a_no_outlives_a_process_that_ends_in_the_midst_of_it(scene: Scene) -> None:
    class Hangs:
        begun = asyncio.Event()

        async def stop(self, number: str, short_number: str, language: str, *, said_at: int = 0) -> None:
            del number, short_number, language, said_at
            self.begun.set()
            await asyncio.Event().wait()

    asking = asyncio.create_task(scene.desk(Hangs()).refuse(scene.callee))
    await Hangs.begun.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await scene.desk().catch_up()
    assert await scene.gate() == [False, False]


async def test_where_the_disk_takes_nothing_the_no_is_kept_in_memory(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    gone = Gone(scene.house.call_desk())
    desk = scene.desk(gone)
    monkeypatch.setattr(private_file, "make", full)
    with pytest.raises(Away):
        await desk.refuse(scene.callee)
    gone.back = True
    await desk.catch_up()
    assert await scene.gate() == [False, False]


async def test_a_wish_that_cannot_be_read_holds_up_no_other(scene: Scene) -> None:
    with pytest.raises(Away):
        await scene.desk(Gone(scene.house.call_desk())).refuse(scene.callee)
    (scene.house.state / FOLDER / "broken.wish").write_text("bm8=")
    await scene.desk().catch_up()
    assert await scene.gate() == [False, False]
    assert [file.name for file in scene.wishes] == ["broken.wish"]
