"""The sender against a link and a queue that do as they are told: what becomes of each answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from config.link_settings import LinkSettings
from config.statuses import Refusal
from gateway.domain.sms.priority import Priority
from gateway.store.texts.sendqueue import Sent, Waiting, seal_answer
from gateway.store.vault.vault import Vault
from smpp.protocol import statuses
from smpp.protocol.pdus import SubmitResult, SubmitSm
from smpp.sending.allowance import Allowance, Pace
from smpp.sending.sender import Sender
from tests.unit.smpp.sending.gates import FakeGate

VAULT = Vault(bytes(32))
NUMBER = "380671234567"
Answer = Callable[[int, SubmitSm], SubmitResult | None]
WAIT_S = 10.0
RETRIES = 4
REST_S = 0.05  # longer than a busy machine takes for a turn of the loop


class FakeLink:
    """Answers each submit in the next turn of the loop with what `answer` says of the nth one."""

    name = "peer"

    def __init__(self, answer: Answer, *, room: int = 100, rest_s: float = 0.001) -> None:
        quick = {"0x08": Refusal(retries=RETRIES, delay_s=rest_s), "0x64": Refusal(retries=RETRIES)}
        self.settings = LinkSettings(
            name="peer", host="x", system_id="x", throttle_wait_s=0.001, statuses=quick
        )
        self.submitted: list[SubmitSm] = []
        self.window = 100
        self.free = room
        self.clogged = False
        self.sender: Sender | None = None
        self._answer = answer

    def flush(self) -> None:
        """Nothing waits here."""

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        if self.free <= 0:
            return False
        self.free -= 1
        self.submitted.append(pdu)
        asyncio.get_running_loop().call_soon(self._respond, len(self.submitted), pdu, token)
        return True

    def _respond(self, nth: int, pdu: SubmitSm, token: Any) -> None:
        assert self.sender is not None
        self.free += 1
        self.sender.on_results([(token, self._answer(nth, pdu))])


class ClosingLink(FakeLink):
    """Has no room any more after two submits: the pace was set lower in between."""

    def submit(self, pdu: SubmitSm, token: object) -> bool:
        if len(self.submitted) == 2:
            self.free = 0
        return super().submit(pdu, token)


class FakeQueue:
    """Holds answers; counts begun submits as Redis does."""

    def __init__(self, waiting: Sequence[Waiting]) -> None:
        self.left = list(waiting)
        self.filed: list[Sent] = []
        self.handed_back: list[Waiting] = []
        self.changed = asyncio.Event()

    async def take_each(
        self, shares: Mapping[int, int], _of: Mapping[int, Sequence[Priority]]
    ) -> Mapping[int, Sequence[Waiting] | None]:
        ((firm, count),) = shares.items()
        taken, self.left = self.left[:count], self.left[count:]
        return {firm: taken}

    async def begin_again(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        return [w._replace(begun=w.begun + 1) for w in waiting]

    async def wait(self, _queues: Sequence[tuple[int, Priority]], _timeout_ms: int) -> None:
        await asyncio.sleep(0)

    async def file(self, sent: Sequence[Sent]) -> None:
        self.filed += sent
        self.changed.set()

    async def hand_back(self, waiting: Sequence[Waiting]) -> None:
        self.handed_back += waiting


def answer_of(text: str = "Code accepted", number: str = NUMBER, **changes: Any) -> Waiting:
    now = int(time.time() * 1000)
    values: dict[str, Any] = {
        "firm_id": 1,
        "queue_id": "1-0",
        "message_id": "m1",
        "sealed": seal_answer(VAULT, number, text),
        "short_number": "4040",
        "seen": "d",
        "at": now,
        "begun": 1,
    }
    return Waiting(**(values | changes))


async def ended(
    answer: Answer, *waiting: Waiting, max_age_s: float = 3600, pace: Pace | None = None
) -> tuple[list[Sent], FakeLink, Sender]:
    """Run until every answer has ended, then stop."""
    link, queue = FakeLink(answer), FakeQueue(waiting)
    sender = made(link, queue, max_age_s, pace)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S):
        while len(queue.filed) < len(waiting):
            queue.changed.clear()
            await queue.changed.wait()
        sender.stop()
        await running
    return queue.filed, link, sender


async def turns(true: Callable[[], bool]) -> None:
    """Let the loop turn until it is true."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


def made(
    link: FakeLink,
    queue: FakeQueue,
    max_age_s: float = 3600,
    pace: Pace | None = None,
    gate: FakeGate | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Sender:
    link.sender = Sender(
        link,  # type: ignore[arg-type]
        queue,  # type: ignore[arg-type]
        VAULT,
        firms=lambda: [1],
        max_age_s=max_age_s,
        observe=lambda *_: None,
        gate=gate or FakeGate(),
        pace=pace,
        clock=clock,
    )
    return link.sender


def always(status: int, message_id: str = "id") -> Answer:
    return lambda _nth, _pdu: SubmitResult(status, message_id)


def first(then: SubmitResult | None, *, times: int = 1) -> Answer:
    """`then` for the first submits, accepted afterwards."""
    return lambda nth, _: then if nth <= times else SubmitResult(statuses.ROK, "id")


THROTTLED, BUSY, WRONG = (SubmitResult(s, "") for s in (statuses.RTHROTTLED, statuses.RSYSERR, 0x0B))
# answer -> state, error, submits
OUTCOMES = [
    pytest.param(always(statuses.ROK), "accepted", None, 1, id="accepted"),
    pytest.param(first(THROTTLED, times=5), "accepted", None, 6, id="throttled for a while"),
    pytest.param(first(BUSY, times=3), "accepted", None, 4, id="refused for now, then accepted"),
    pytest.param(
        always(statuses.RSYSERR), "failed", f"0x8, {RETRIES + 1} times", RETRIES + 1, id="refused for ever"
    ),
    pytest.param(always(0x0B), "failed", "0xb", 1, id="refused for good"),
    pytest.param(first(None), "accepted", None, 2, id="unknown once, then accepted"),
    pytest.param(first(None, times=2), "unknown", "no response twice", 2, id="unknown twice"),
    pytest.param(first(WRONG), "failed", "0xb", 1, id="a permanent refusal is not repeated"),
]


@pytest.mark.parametrize(("answer", "state", "error", "submits"), OUTCOMES)
async def test_outcomes(answer: Answer, state: str, error: str | None, submits: int) -> None:
    (sent,), link, sender = await ended(answer, answer_of())

    assert (state, error, submits) == (sent.state, sent.error, len(link.submitted))
    assert getattr(sender.counts, state) == 1
    assert sender.backlog == 0


@pytest.mark.parametrize(
    ("changes", "state", "error"),
    [
        pytest.param({"at": 1}, "expired", "waited too long", id="too old"),
        pytest.param({"until": 1}, "expired", "waited too long", id="of no use any more"),
        pytest.param({"begun": 3}, "unknown", "no response twice", id="begun too often"),
        pytest.param({"sealed": b"nothing"}, "failed", "seal broken", id="cannot be opened"),
    ],
)
async def test_ended_without_a_submit(changes: dict[str, Any], state: str, error: str) -> None:
    (sent,), link, _ = await ended(always(0), answer_of(**changes))

    assert (state, error, 0) == (sent.state, sent.error, len(link.submitted))


class QuietQueue(FakeQueue):
    """Of whose queues nobody tells anything."""

    async def wait(self, _queues: Sequence[tuple[int, Priority]], _timeout_ms: int) -> None:
        await asyncio.sleep(WAIT_S)


async def test_the_moment_of_the_learned_pace_is_not_missed_though_it_comes_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has come by when the sender asks how long to rest, and nothing is on its way that would wake it."""
    monkeypatch.setattr(Allowance, "wait_s", 0.0)
    link, queue = FakeLink(first(THROTTLED, times=1)), QuietQueue([answer_of()])
    sender = Sender(
        link,  # type: ignore[arg-type]
        queue,  # type: ignore[arg-type]
        VAULT,
        firms=lambda: [1],
        max_age_s=60,
        observe=lambda *_: None,
        gate=FakeGate(),
    )
    link.sender = sender
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S / 2):
        await queue.changed.wait()
    assert [sent.state for sent in queue.filed] == ["accepted"]
    sender.stop()
    await running


async def test_what_is_throttled_past_its_use_expires() -> None:
    until = int(time.time() * 1000) + 50
    (sent,), link, _ = await ended(always(statuses.RTHROTTLED), answer_of(until=until))

    assert (sent.state, sent.error) == ("expired", "refused until too old")
    assert len(link.submitted) > 1


async def test_second_submit_is_marked_as_possibly_doubled() -> None:
    _, _, sender = await ended(always(0), answer_of(begun=2))

    assert sender.counts.possibly_doubled == 1


LONG = "Я" * 150  # three parts in UCS-2


async def test_long_answer_in_parts_of_one_reference() -> None:
    (sent,), link, _ = await ended(lambda nth, _: SubmitResult(0, f"id-{nth}"), answer_of(LONG))

    headers = [pdu.body[:6] for pdu in link.submitted]
    assert [(h[4], h[5]) for h in headers] == [(3, 1), (3, 2), (3, 3)]
    assert len({h[3] for h in headers}) == 1
    assert [pdu.registered_delivery for pdu in link.submitted] == [1, 1, 1]
    assert [pdu.esm_class for pdu in link.submitted] == [0x40] * 3
    assert (sent.smsc_id, sent.parts) == ("id-3", ("id-1", "id-2", "id-3"))


async def test_ids_are_filed_in_the_order_of_parts_however_responses_come() -> None:
    link, queue = FakeLink(always(0)), FakeQueue([answer_of(LONG)])
    held: list[tuple[Any, SubmitSm]] = []
    link._respond = lambda nth, pdu, token: held.insert(nth - 1, (token, pdu))  # type: ignore[method-assign]
    sender = made(link, queue)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S):
        await turns(lambda: len(held) == 3)
        for token, pdu in reversed(held):
            sender.on_results([(token, SubmitResult(0, f"part {pdu.body[5]}"))])
        await queue.changed.wait()
        sender.stop()
        await running

    assert [(s.smsc_id, s.parts) for s in queue.filed] == [("part 3", ("part 1", "part 2", "part 3"))]


async def test_only_refused_parts_are_submitted_again() -> None:
    (sent,), link, _ = await ended(
        lambda nth, _: SubmitResult(statuses.RTHROTTLED if nth == 2 else 0, f"id-{nth}"), answer_of(LONG)
    )

    assert [pdu.body[5] for pdu in link.submitted] == [1, 2, 3, 2]
    assert (sent.state, sent.smsc_id, sent.parts) == ("accepted", "id-3", ("id-1", "id-4", "id-3"))


async def test_what_was_taken_of_a_refused_answer_is_filed() -> None:
    (sent,), _, _ = await ended(
        lambda nth, _: SubmitResult(statuses.RINVDSTADR if nth == 3 else 0, f"id-{nth}"), answer_of(LONG)
    )

    assert (sent.state, sent.parts) == ("failed", ("id-1", "id-2", ""))


async def test_unknown_part_sends_the_whole_again() -> None:
    (sent,), link, _ = await ended(
        lambda nth, _: None if nth == 2 else SubmitResult(0, f"id-{nth}"), answer_of(LONG)
    )

    assert [pdu.body[5] for pdu in link.submitted] == [1, 2, 3, 1, 2, 3]
    assert (sent.state, sent.waiting.begun) == ("accepted", 2)


async def test_stop_files_what_is_in_flight_and_hands_back_what_is_not() -> None:
    answers = [answer_of(number=f"38067000000{n}", message_id=f"m{n}", queue_id=f"{n}-0") for n in range(5)]
    link, queue = ClosingLink(always(0), room=5), FakeQueue(answers)
    held: list[tuple[Any, SubmitSm]] = []
    link._respond = lambda nth, pdu, token: held.insert(nth - 1, (token, pdu))  # type: ignore[method-assign]
    sender = made(link, queue)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S):
        await turns(lambda: len(held) == 2)
        sender.stop()
        await asyncio.sleep(0)
        assert not running.done()  # the SMSC still owes two answers
        for token, _ in held:
            sender.on_results([(token, SubmitResult(0, "id"))])
        await running

    assert [sent.waiting.message_id for sent in queue.filed] == ["m0", "m1"]
    assert [waiting.message_id for waiting in queue.handed_back] == ["m2", "m3", "m4"]


@pytest.mark.parametrize(
    ("text", "answers", "handed_back"),
    [
        pytest.param("t", [statuses.RX_T_APPN], ["m1"], id="refused for now"),
        pytest.param(LONG, [statuses.RX_T_APPN] * 3, ["m1"], id="all parts refused for now"),
        pytest.param(LONG, [statuses.ROK, statuses.RX_T_APPN, statuses.ROK], [], id="parts of it taken"),
    ],
)
async def test_stop_hands_back_what_was_refused_since_it_is_in_no_doubt(
    text: str, answers: list[int], handed_back: list[str]
) -> None:
    held = Held(answer_of(text))
    held.sender._settings = LinkSettings(name="peer", host="x", system_id="x")  # it rests for seconds
    await held.submitted(len(answers))
    for status in answers:
        held.answer(status)
    await held.stop()

    assert ([], handed_back) == (held.queue.filed, [w.message_id for w in held.queue.handed_back])


async def test_stop_in_the_middle_of_a_long_text_hands_back_what_stands_behind_it() -> None:
    """The window closes between its parts: they are in doubt, and keep nobody waiting."""
    held = Held(answer_of(LONG), room=2)
    other = answer_of("other", "380670000001", message_id="o", queue_id="9-0")
    await held.submitted(2)
    held.sender._begin(other, None)
    held.link.submit = lambda *_: False  # type: ignore[method-assign]
    await held.stop()

    assert (held.queue.filed, [w.message_id for w in held.queue.handed_back]) == ([], ["o"])


async def test_no_more_is_begun_than_can_be_submitted() -> None:
    answers = [answer_of(number=f"38067000000{n}", message_id=f"m{n}", queue_id=f"{n}-0") for n in range(5)]
    link, queue = FakeLink(always(0), room=2), FakeQueue(answers)
    link._respond = lambda *_: None  # type: ignore[method-assign]
    sender = made(link, queue)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S):
        await turns(lambda: len(link.submitted) == 2)
        await turns(lambda: link.free == 0)

    assert [waiting.message_id for waiting in queue.left] == ["m2", "m3", "m4"]
    running.cancel()


async def test_storage_that_is_away_loses_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smpp.sending.filing.STORAGE_RETRY_S", 0.001)
    link, queue = FakeLink(always(0)), FakeQueue([answer_of()])
    filed, fails = queue.file, [OSError(), TimeoutError()]

    async def flaky(sent: Sequence[Sent]) -> None:
        if fails:
            raise fails.pop()
        await filed(sent)

    queue.file = flaky  # type: ignore[method-assign]
    sender = made(link, queue)
    running = asyncio.create_task(sender.run())
    async with asyncio.timeout(WAIT_S):
        await queue.changed.wait()
        sender.stop()
        await running

    assert [sent.state for sent in queue.filed] == ["accepted"]


BULK = {"priority": Priority.BULK}


@pytest.mark.parametrize(
    ("answer", "changes", "submits"),
    [
        pytest.param(always(0), {"begun": 2}, 0, id="begun by a process that is gone"),
        pytest.param(first(None), {}, 1, id="the link was lost before the response"),
    ],
)
async def test_marketing_of_unknown_outcome_is_never_sent_again(
    answer: Answer, changes: dict[str, Any], submits: int
) -> None:
    (sent,), link, sender = await ended(answer, answer_of(**BULK, **changes))

    assert (sent.state, sent.error, len(link.submitted)) == ("unknown", "no response", submits)
    assert (sender.counts.unknown, sender.counts.possibly_doubled) == (1, 0)


async def test_marketing_that_was_refused_for_now_is_sent_again() -> None:
    (sent,), link, _ = await ended(first(BUSY), answer_of(**BULK))

    assert (sent.state, len(link.submitted)) == ("accepted", 2)


class Held:
    """A sender whose SMSC answers when it is told to."""

    def __init__(self, *waiting: Waiting, room: int = 10, rest_s: float = 0.001) -> None:
        self.link, self.queue = FakeLink(always(0), room=room, rest_s=rest_s), FakeQueue(waiting)
        self.open: list[tuple[Any, SubmitSm]] = []
        self.link._respond = self._keep  # type: ignore[method-assign, assignment]
        self.sender = made(self.link, self.queue)
        self._running = asyncio.create_task(self.sender.run())

    def _keep(self, _nth: int, pdu: SubmitSm, token: Any) -> None:
        self.open.append((token, pdu))

    async def submitted(self, count: int) -> list[str]:
        """Wait for so many submits in all; whose texts they were, in order."""
        async with asyncio.timeout(WAIT_S):
            await turns(lambda: len(self.link.submitted) >= count)
        for _ in range(20):  # whatever else would come comes now
            await asyncio.sleep(0)
        return [pdu.body.decode("latin-1") for pdu in self.link.submitted]

    def answer(self, status: int = 0) -> None:
        """The SMSC answers the oldest submit."""
        token, _ = self.open.pop(0)
        self.link.free += 1
        self.sender.on_results([(token, SubmitResult(status, "id"))])

    async def stop(self) -> None:
        """Answer all and stop."""
        self.sender.stop()
        async with asyncio.timeout(WAIT_S):
            while not self._running.done():
                if self.open:
                    self.answer()
                await asyncio.sleep(0)


async def test_a_later_text_waits_for_the_end_of_the_earlier_one() -> None:
    texts = [answer_of(f"t{n}", message_id=f"m{n}", queue_id=f"{n}-0") for n in range(3)]
    other = answer_of("other", "380670000001", message_id="o", queue_id="9-0")
    held = Held(*texts, other)

    assert await held.submitted(2) == ["t0", "other"]
    assert [w.message_id for w in held.queue.handed_back] == ["m1", "m2"]  # they are in no doubt
    held.answer(statuses.RX_T_APPN)  # refused for now is not its end
    assert await held.submitted(3) == ["t0", "other", "t0"]
    held.answer()
    held.answer()
    assert await held.submitted(4) == ["t0", "other", "t0", "t1"]
    held.answer()
    assert await held.submitted(5) == ["t0", "other", "t0", "t1", "t2"]
    held.answer()
    await held.stop()
    assert [(s.waiting.message_id, s.state, s.waiting.begun) for s in held.queue.filed] == [
        ("o", "accepted", 1),
        ("m0", "accepted", 1),
        ("m1", "accepted", 1),
        ("m2", "accepted", 1),
    ]
    assert held.sender.counts.possibly_doubled == 0


async def test_a_reply_does_not_wait_behind_marketing_that_rests() -> None:
    bulk = answer_of("bulk", message_id="b", queue_id="1-0", **BULK)
    reply = answer_of("reply", message_id="r", queue_id="2-0")
    held = Held(bulk)

    assert await held.submitted(1) == ["bulk"]
    held.queue.left.append(reply)
    held.answer(statuses.RSYSERR)
    assert (await held.submitted(2))[:2] == ["bulk", "reply"]
    await held.stop()


async def test_marketing_whose_rest_is_over_behind_a_reply_is_sent_after_it() -> None:
    bulk = answer_of("bulk", message_id="b", queue_id="1-0", **BULK)
    reply = answer_of("reply", message_id="r", queue_id="2-0")
    held = Held(bulk, rest_s=REST_S)
    await held.submitted(1)
    held.queue.left.append(reply)
    held.answer(statuses.RSYSERR)
    await held.submitted(2)
    await asyncio.sleep(3 * REST_S)  # while the reply is on its way

    held.answer()
    assert await held.submitted(3) == ["bulk", "reply", "bulk"]
    await held.stop()
    assert [(s.waiting.message_id, s.state) for s in held.queue.filed] == [
        ("r", "accepted"),
        ("b", "accepted"),
    ]


class Grants:
    """A pace that grants two segments at a time, every other time none."""

    def __init__(self) -> None:
        self.granted = 0
        self.asked = 0

    async def grant(self, wanted: int) -> tuple[int, float]:
        self.asked += 1
        if self.asked % 2:
            return 0, 0.001
        self.granted += min(wanted, 2)
        return min(wanted, 2), 0.0


async def test_no_more_segments_leave_than_were_granted() -> None:
    pace = Grants()
    answers = [answer_of(LONG, f"38067000000{n}", message_id=f"m{n}", queue_id=f"{n}-0") for n in range(3)]
    sent, link, _ = await ended(always(0), *answers, pace=pace)

    assert [s.state for s in sent] == ["accepted"] * 3
    assert len(link.submitted) == 9 <= pace.granted < 12
