"""The script on a channel, over AGI: what was keyed is done, faults are told kindly, calls are recorded."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from ivr.agi.faults import Fault
from ivr.agi.limits import AgiLimits
from ivr.agi.server import AgiServer
from ivr.talk import service
from ivr.talk.caller import Sight
from ivr.talk.record import CallRecord
from ivr.talk.runner import DONE, FreeNumberTalk, Line
from ivr.talk.steps import CallEnd, Service
from tests.integration.ivr.agi_peer import HANG_UP, AgiPeer, on_call
from tests.integration.ivr.callers_desk import FakeDesk

NUMBER = "380670000007"
CODE = "1234567890123"
WITHIN_S = 10.0


@dataclass
class Talk:
    """A server with the talk on it."""

    desk: FakeDesk = field(default_factory=FakeDesk)
    most_call_s: float = 60.0
    port: int = 0
    records: asyncio.Queue[CallRecord] = field(default_factory=asyncio.Queue)
    faults: list[Fault] = field(default_factory=list)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[AgiServer]:
        line = Line(
            short_numbers={"0800123456": "4040"},
            sounds_dir="/sounds",
            key_wait_s=1.0,
            most_call_s=self.most_call_s,
            region="UA",
            countries=frozenset({"UA"}),
        )
        talk = FreeNumberTalk(line, self.desk, self.records.put_nowait)
        limits = AgiLimits(most_calls=10, call_s=60)
        server = AgiServer({"/free": talk}, limits, self.faults.append)
        self.port = await server.start("127.0.0.1", 0)
        try:
            yield server
        finally:
            await server.stop(0)

    async def hears(self, peer: AgiPeer) -> CallRecord:
        """One call from beginning to end."""
        async with self.serving(), asyncio.timeout(WITHIN_S):
            await peer.call(self.port)
            return await self.records.get()


async def test_a_whole_call() -> None:
    talk = Talk()
    peer = AgiPeer(keys=["3", CODE, "4", "7", "1", "9", "7", "1", "8", "4"])
    record = await talk.hears(peer)
    assert talk.desk.done == [
        ("language", NUMBER),
        ("alias", NUMBER),
        ("text_alias", NUMBER, "4040", "uk"),
        ("activate", NUMBER, "4040", CODE, "uk"),
        ("balance", NUMBER, "4040"),
        ("agree", NUMBER, "4040", "uk", f"{record.id}.5"),
        ("stop", NUMBER, "4040", "uk"),
        ("agree", NUMBER, "4040", "uk", f"{record.id}.7"),
        ("choose_language", NUMBER, "en"),
    ]
    assert peer.heard[-1] == "en/goodbye"
    assert peer.variables[DONE] == "1"
    assert peer.commands[-1] == "HANGUP"
    assert (record.end, record.sight, record.language) == (CallEnd.SILENCE, Sight.KNOWN, "en")
    assert record.keys == "113447789"
    assert record.services == (
        *(Service.LOOK_UP, Service.TEXT_ALIAS, Service.ACTIVATE, Service.BALANCE),
        *(Service.AGREE, Service.STOP, Service.CHOOSE_LANGUAGE),
    )
    assert record.answered_at is not None
    assert record.started_at <= record.answered_at <= record.ended_at
    for secret in (NUMBER, CODE, "123456789"):
        assert secret not in repr(record)


async def test_the_gateway_is_asked_before_the_answer_and_no_sms_leaves_before_it() -> None:
    talk = Talk()
    seen: list[list[tuple[str, ...]]] = []
    peer = AgiPeer(on_command=lambda line: seen.append(list(talk.desk.done)) if line == "ANSWER" else None)
    await talk.hears(peer)
    assert [[step[0] for step in steps] for steps in seen] == [["language", "alias"]]


async def test_who_hangs_up_before_the_answer_has_had_no_sms() -> None:
    talk = Talk()

    def hang_up(line: str) -> None:
        if line == "ANSWER":
            raise ConnectionResetError  # the call is cancelled

    record = await talk.hears(AgiPeer(on_command=hang_up))
    assert (record.end, record.answered_at) == (CallEnd.HUNG_UP, None)
    assert record.services == (Service.LOOK_UP,)
    assert [step[0] for step in talk.desk.done] == ["language", "alias"]


async def test_the_apology_would_be_in_the_language_of_the_call() -> None:
    peer = AgiPeer(keys=["8", "3"])
    await Talk().hears(peer)
    assert peer.commands[0] == 'SET VARIABLE UNDERCAP_LANGUAGE "uk"'
    assert peer.variables["UNDERCAP_LANGUAGE"] == "kk"


@pytest.mark.parametrize(
    ("env", "sight", "why"),
    [
        ({"callingpres": "35"}, Sight.WITHHELD, "uk/withheld"),
        ({"callerid": "unknown"}, Sight.UNKNOWN, "uk/unknown_caller"),
        ({"callerid": "4040"}, Sight.MALFORMED, "uk/unknown_caller"),
        ({"callerid": "491711234567"}, Sight.FOREIGN, "en/foreign"),
    ],
)
async def test_nothing_is_asked_for_whoever_cannot_be_served(
    env: dict[str, str], sight: Sight, why: str
) -> None:
    talk = Talk()
    peer = AgiPeer(env=env, keys=["3", "4", "9"])
    record = await talk.hears(peer)
    assert talk.desk.done == []
    assert why in peer.heard
    assert (record.sight, record.end) == (sight, CallEnd.SILENCE)
    assert record.services == ()


async def test_a_slow_service_is_bridged_with_words() -> None:
    slow = asyncio.Event()
    talk = Talk(FakeDesk(waits={"balance": slow}))
    moments: list[str] = []

    def on_command(line: str) -> None:
        if "/moment" in line:
            moments.append(line)
            if len(moments) == 3:
                slow.set()

    peer = AgiPeer(keys=["4"], on_command=on_command)
    await talk.hears(peer)
    assert len(moments) == 3
    assert "uk/balance_is" in peer.heard


async def test_a_service_without_an_end_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "WITHIN_S", 0.1)
    talk = Talk(FakeDesk(waits={"language": asyncio.Event(), "balance": asyncio.Event()}))
    peer = AgiPeer(keys=["4"])
    record = await talk.hears(peer)
    assert "uk/alias_by_sms" in peer.heard
    assert "uk/not_now" in peer.heard
    assert record.end is CallEnd.SILENCE


async def test_a_language_that_cannot_be_asked_costs_no_alias() -> None:
    peer = AgiPeer()
    await Talk(FakeDesk(away={"language"})).hears(peer)
    assert "uk/alias_is" in peer.heard


async def test_a_gateway_that_is_away_is_told_kindly() -> None:
    peer = AgiPeer()
    record = await Talk(FakeDesk(away={"language", "alias", "text_alias"})).hears(peer)
    assert peer.heard == ["uk/pause", "uk/greeting", "uk/call_later", "uk/goodbye"]
    assert (record.end, peer.variables[DONE]) == (CallEnd.AWAY, "1")


async def test_a_code_that_is_keyed_into_a_menu_is_not_kept() -> None:
    code = "2601210426104"
    record = await Talk().hears(AgiPeer(keys=[*code, HANG_UP]))
    assert Counter(record.keys) == Counter(code)
    assert code not in record.keys


@pytest.mark.parametrize(
    "keys", [[HANG_UP], ["3", HANG_UP], ["7", HANG_UP], ["8", HANG_UP], ["4", HANG_UP], ["", HANG_UP]]
)
async def test_a_hang_up_at_each_step(keys: list[str]) -> None:
    talk = Talk()
    record = await talk.hears(AgiPeer(keys=keys))
    assert (record.end, record.fault, talk.faults) == (CallEnd.HUNG_UP, None, [])


async def test_a_hang_up_while_a_service_works_does_not_undo_the_wish() -> None:
    slow = asyncio.Event()
    talk = Talk(FakeDesk(waits={"stop": slow}))
    async with talk.serving(), asyncio.timeout(WITHIN_S):
        waiting = asyncio.Event()
        peer = AgiPeer(keys=["9"], on_command=lambda line: waiting.set() if "/moment" in line else None)
        async with on_call(peer, talk.port):
            await waiting.wait()
        slow.set()
        record = await talk.records.get()
    assert record.end is CallEnd.HUNG_UP
    assert talk.desk.done[-1][0] == "stop"


async def test_a_fault_while_a_service_works_does_not_undo_the_wish() -> None:
    slow = asyncio.Event()
    talk = Talk(FakeDesk(waits={"stop": slow}))

    def on_command(line: str) -> None:
        if "/moment" in line:  # the wish comes true a while after the sound was missed
            asyncio.get_running_loop().call_later(0.1, slow.set)

    record = await talk.hears(AgiPeer(keys=["9"], missing="uk/moment", on_command=on_command))
    assert (record.end, record.fault) == (CallEnd.FAULT, Fault.NO_SOUND)
    assert talk.desk.done[-1][0] == "stop"


@pytest.mark.parametrize(
    ("peer", "fault"),
    [
        pytest.param(AgiPeer(env={"extension": "0800999999"}), Fault.NO_ROUTE, id="number that is not ours"),
        pytest.param(AgiPeer(missing="uk/goodbye"), Fault.NO_SOUND, id="missing sound"),
    ],
)
async def test_a_fault_leaves_the_rest_to_the_dialplan(peer: AgiPeer, fault: Fault) -> None:
    talk = Talk()
    record = await talk.hears(peer)
    assert (record.end, record.fault, talk.faults) == (CallEnd.FAULT, fault, [fault])
    assert DONE not in peer.variables  # so that it apologises


async def test_an_error_of_ours_is_apologised_for() -> None:
    talk = Talk(FakeDesk(breaks={"balance"}))
    peer = AgiPeer(keys=["4"])
    record = await talk.hears(peer)
    assert (record.end, record.fault) == (CallEnd.FAULT, Fault.OURS)
    assert DONE not in peer.variables


async def test_a_wish_that_was_begun_when_we_stop_is_done_before_we_end() -> None:
    slow = asyncio.Event()
    talk = Talk(FakeDesk(waits={"activate": slow}))
    async with talk.serving() as server, asyncio.timeout(WITHIN_S):
        begun = asyncio.Event()
        peer = AgiPeer(keys=["3", CODE], on_command=lambda line: begun.set() if "/moment" in line else None)
        async with on_call(peer, talk.port):
            await begun.wait()
            stopping = asyncio.ensure_future(server.stop(0.0))
            asyncio.get_running_loop().call_later(0.2, slow.set)
            await stopping
            assert talk.desk.done[-1] == ("activate", NUMBER, "4040", CODE, "uk")
            await peer.closed.wait()
        record = await talk.records.get()
    assert (record.end, record.services[-1]) == (CallEnd.STOPPED, Service.ACTIVATE)
    assert DONE not in peer.variables


async def test_a_wish_without_an_end_holds_the_stop_up_for_its_own_time_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "WITHIN_S", 1.0)
    talk = Talk(FakeDesk(waits={"balance": asyncio.Event()}))
    async with talk.serving() as server, asyncio.timeout(WITHIN_S):
        waiting = asyncio.Event()
        peer = AgiPeer(keys=["4"], on_command=lambda line: waiting.set() if "/moment" in line else None)
        async with on_call(peer, talk.port):
            await waiting.wait()
            await server.stop(0.0)
            await peer.closed.wait()
        record = await talk.records.get()
    assert record.end is CallEnd.STOPPED
    assert DONE not in peer.variables


async def test_a_call_ends_with_a_goodbye_when_its_time_is_up() -> None:
    peer = AgiPeer(keys=["0"] * 50)
    record = await Talk(most_call_s=0.0).hears(peer)
    assert (record.end, record.keys) == (CallEnd.TIME_UP, "")
    assert peer.heard[-1] == "uk/goodbye"
    assert peer.variables[DONE] == "1"
