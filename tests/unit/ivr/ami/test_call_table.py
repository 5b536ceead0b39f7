"""What became of calls: both events in either order, one missing, forged ones, and the end of time."""

from __future__ import annotations

import asyncio

import pytest

from ivr.ami import call_table
from ivr.ami.call_result import BY_CAUSE, CallEnd, CallResult, judge
from ivr.ami.call_table import CallTable

ID = "o1"
LONG_S = 60.0


def response(success: bool, reason: int, call_id: str = ID) -> tuple[str, dict[str, str]]:
    said = {"Response": "Success" if success else "Failure", "Reason": str(reason)}
    return "OriginateResponse", {"ActionID": call_id, "Uniqueid": call_id, **said}


def hangup(cause: int, call_id: str = ID) -> tuple[str, dict[str, str]]:
    return "Hangup", {"Uniqueid": call_id, "Cause": str(cause)}


CASES = {
    "answered": (True, 4, 16, CallResult.ANSWERED),
    "answered, with no cause on 16": (True, 4, 0, CallResult.ANSWERED),
    "rang out on 16": (False, 3, 0, CallResult.NO_ANSWER),
    "rang out on 22": (False, 3, 19, CallResult.NO_ANSWER),
    "busy": (False, 0, 17, CallResult.BUSY),
    "rejected": (False, 0, 21, CallResult.REJECTED),
    "absent": (False, 0, 20, CallResult.UNREACHABLE),
    "503": (False, 0, 34, CallResult.CONGESTION),
    "500": (False, 0, 38, CallResult.CONGESTION),
    "404": (False, 0, 1, CallResult.BAD_NUMBER),
    "moved": (False, 8, 0, CallResult.FAILED),
    "a cause that nobody knows": (False, 0, 111, CallResult.FAILED),
}


@pytest.mark.parametrize(("success", "reason", "cause", "result"), CASES.values(), ids=list(CASES))
async def test_in_either_order(success: bool, reason: int, cause: int, result: CallResult) -> None:
    events = [response(success, reason), hangup(cause)]
    for order in (events, events[::-1]):
        table = CallTable()
        end = table.begin(ID, LONG_S)
        table.heard(*order[0])
        assert not end.done()
        table.heard(*order[1])
        assert await end == CallEnd(result=result, cause=cause)
        assert len(table) == 0


NOTED = {
    "the callee's 603": ({"AccountCode": "sip603", "ChannelState": "5"}, CallResult.REJECTED, 603, True),
    "the trunk's 403": ({"AccountCode": "sip403", "ChannelState": "0"}, CallResult.TRUNK, 403, False),
    "the trunk's 403, without our dialplan": ({"TechCause": "403"}, CallResult.TRUNK, 403, False),
    "the dialplan before Asterisk": (
        {"AccountCode": "sip603", "TechCause": "403"},
        CallResult.REJECTED,
        603,
        False,
    ),
    "nothing was heard": ({"AccountCode": "sip"}, CallResult.SILENT, 0, False),
    "nobody tells": ({"AccountCode": "shop"}, CallResult.REJECTED, None, False),
    "no status": ({"AccountCode": "sip4x3"}, CallResult.REJECTED, None, False),
    "a 6xx that nobody knows": ({"AccountCode": "sip699"}, CallResult.TRUNK, 699, False),
}


@pytest.mark.parametrize(("says", "result", "sip", "rang"), NOTED.values(), ids=list(NOTED))
async def test_who_has_refused(says: dict[str, str], result: CallResult, sip: int | None, rang: bool) -> None:
    """All with the one cause that stands for each of them."""
    table = CallTable()
    end = table.begin(ID, LONG_S)
    table.heard(*response(False, 0))
    name, headers = hangup(21)
    table.heard(name, headers | says)
    assert await end == CallEnd(result=result, cause=21, sip=sip, rang=rang)


ENDED_BEFORE_ITS_TIME = {
    "it rang, and Asterisk goes": (0, 0, {"AccountCode": "sip180", "ChannelState": "5"}, CallResult.UNKNOWN),
    "the trunk had it": (0, 0, {"AccountCode": "sip100", "ChannelState": "0"}, CallResult.UNKNOWN),
    "it rang, without our dialplan": (0, 0, {"ChannelState": "5"}, CallResult.UNKNOWN),
    "we have hung up": (0, 16, {"AccountCode": "sip180", "ChannelState": "5"}, CallResult.NO_ANSWER),
    "its time is over": (3, 0, {"AccountCode": "sip180", "ChannelState": "5"}, CallResult.NO_ANSWER),
    "moved, not yet noted": (8, 0, {"AccountCode": "sip180", "ChannelState": "5"}, CallResult.FAILED),
    "nothing was heard": (0, 0, {"AccountCode": "sip", "ChannelState": "0"}, CallResult.SILENT),
}


@pytest.mark.parametrize(
    ("reason", "cause", "says", "result"), ENDED_BEFORE_ITS_TIME.values(), ids=list(ENDED_BEFORE_ITS_TIME)
)
async def test_who_has_ended_what_the_trunk_has_not(
    reason: int, cause: int, says: dict[str, str], result: CallResult
) -> None:
    table = CallTable()
    end = table.begin(ID, LONG_S)
    table.heard(*response(False, reason))
    name, headers = hangup(cause)
    table.heard(name, headers | says)
    assert (await end).result is result


async def test_an_answered_call_lasts_until_its_hangup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_table, "GRACE_S", 0.0)
    table = CallTable()
    end = table.begin(ID, LONG_S)
    table.heard(*response(True, 4))
    await asyncio.sleep(0.01)
    assert not end.done()
    table.lose()
    assert await end == CallEnd(result=CallResult.ANSWERED, cause=None)


async def test_one_event_alone_is_waited_for_no_longer_than_the_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(call_table, "GRACE_S", 0.01)
    table = CallTable()
    refused, hung_up = table.begin("o1", LONG_S), table.begin("o2", LONG_S)
    table.heard(*response(False, 0, "o1"))
    table.heard(*hangup(17, "o2"))
    assert await refused == CallEnd(result=CallResult.FAILED, cause=None)
    assert await hung_up == CallEnd(result=CallResult.UNKNOWN, cause=17)


async def test_a_call_of_which_nothing_is_heard_ends_by_time() -> None:
    table = CallTable()
    assert await table.begin(ID, 0.01) == CallEnd(result=CallResult.UNKNOWN, cause=None)


async def test_lost_calls_are_unknown() -> None:
    table = CallTable()
    ends = [table.begin(f"o{n}", LONG_S) for n in range(3)]
    table.lose()
    assert {(await end).result for end in ends} == {CallResult.UNKNOWN}


async def test_an_id_counts_once_and_a_strange_one_never() -> None:
    table = CallTable()
    end = table.begin(ID, LONG_S)
    for name, headers in (
        response(False, 0, "o2"),
        hangup(17, "o2"),
        ("Hangup", {}),
        ("Newchannel", {"Uniqueid": ID}),
    ):
        table.heard(name, headers)
    assert len(table) == 1
    table.heard(*response(False, 0))
    table.heard(*hangup(21))
    table.heard(*response(True, 4))
    table.heard(*hangup(17))
    assert (await end).result is CallResult.REJECTED


@pytest.mark.parametrize("cause", ["", "x", "-1", "١٧", "17 "])
async def test_a_cause_that_is_no_number(cause: str) -> None:
    table = CallTable()
    end = table.begin(ID, LONG_S)
    table.heard("Hangup", {"Uniqueid": ID, "Cause": cause})
    table.heard(*response(False, 0))
    assert (await end).result is CallResult.FAILED


async def test_who_waits_no_longer_leaves_nothing_behind() -> None:
    table = CallTable()
    end = table.begin(ID, LONG_S)
    end.cancel()
    table.heard(*response(False, 0))
    table.heard(*hangup(17))
    assert len(table) == 0


def test_every_cause_leads_to_one_result() -> None:
    assert {judge(answered=False, reason=0, cause=cause) for cause in BY_CAUSE} == set(BY_CAUSE.values())
