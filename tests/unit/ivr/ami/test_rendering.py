"""Actions of the manager interface: what goes out as it is, and what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.ami.faults import Unsendable
from ivr.ami.originate import Originate, over_trunk, to_ourselves
from ivr.ami.parsing import Packs
from ivr.ami.rendering import render

BREAKS = {
    "a new action": "x\r\n\r\nAction: Originate",
    "a new header": "x\r\nPriority: 9",
    "a line feed": "x\ny",
    "a carriage return": "x\ry",
    "a zero octet": "x\0y",
    "a vertical tab": "x\vy",
    "a form feed": "x\fy",
    "an escape": "x\x1b[2J",
    "delete": "x\x7f",
    "a next line": "x\x85y",
    "a line separator": "x\u2028y",
    "a paragraph separator": "x\u2029y",
    "half a pair": "x\ud800",
    "over-long": "x" * 1000,
    "over-long in octets": "ї" * 500,
}


def test_an_action() -> None:
    octets = render("Originate", {"Channel": "Local/s@check", "Async": "true"}, {"LANG_": "uk", "B": "так"})
    assert octets.decode() == (
        "Action: Originate\r\nChannel: Local/s@check\r\nAsync: true\r\n"
        "Variable: LANG_=uk\r\nVariable: B=так\r\n\r\n"
    )


@pytest.mark.parametrize("value", BREAKS.values(), ids=list(BREAKS))
def test_what_would_be_more_than_a_value_is_refused(value: str) -> None:
    for name, fields, variables in (
        (value, {}, {}),
        ("Ping", {"ActionID": value}, {}),
        ("Ping", {value: "x"}, {}),
        ("Ping", {}, {"NAME": value}),
        ("Ping", {}, {value: "x"}),
    ):
        with pytest.raises(Unsendable) as refused:
            render(name, fields, variables)
        assert value not in str(refused.value)


@pytest.mark.parametrize("value", ["a,B=c", 'a"b', "a\\b"])
def test_a_variable_stays_one_variable(value: str) -> None:
    with pytest.raises(Unsendable):
        render("Originate", {}, {"NAME": value})


@pytest.mark.parametrize("name", ["", "A=B", "A(b)", "__ A", "1A", "A-B"])
def test_a_function_is_no_variable(name: str) -> None:
    with pytest.raises(Unsendable):
        render("Originate", {}, {name: "x"})


@given(st.text(max_size=400))
def test_whatever_is_sent_is_one_pack(value: str) -> None:
    try:
        octets = render("Ping", {"ActionID": value}, {})
    except Unsendable:
        return
    assert Packs().feed(octets) == [octets.removesuffix(b"\r\n\r\n")]
    assert octets.count(b"\r") == octets.count(b"\n") == 3


@pytest.mark.parametrize(
    "number",
    [
        "",
        "12",
        "1" * 16,
        "++380",
        "380 67",
        "380&PJSIP/x",
        "380@x",
        "380/x",
        "380,1",
        "380\n",
        "٣٨٠٦٧",
        "380x",
    ],
)
def test_only_a_number_is_called(number: str) -> None:
    with pytest.raises(Unsendable) as refused:
        over_trunk(number, "trunk")
    assert str(refused.value) == "number"
    if number:
        with pytest.raises(Unsendable):
            Originate(channel=over_trunk("380", "trunk"), context="x", caller_number=number)


@pytest.mark.parametrize("name", ["", "a/b", "a@b", "a&Local/b", "a b", "a\n", "ї", "a" * 41])
def test_only_names_name(name: str) -> None:
    for make in (
        lambda: over_trunk("380670000001", name),
        lambda: to_ourselves(name, "s"),
        lambda: to_ourselves("context", name),
        lambda: Originate(channel="", context=name),
        lambda: Originate(channel="", context="context", exten=name),
    ):
        with pytest.raises(Unsendable):
            make()


def test_a_call() -> None:
    order = Originate(
        channel=over_trunk("+380670000001", "trunk"),
        context="undercap-offer",
        caller_number="0800123456",
        ring_s=2.5,
        talk_s=60,
    )
    assert order.fields("o1") == {
        "ActionID": "o1",
        "ChannelId": "o1",
        "Channel": "PJSIP/+380670000001@trunk",
        "Context": "undercap-offer",
        "Exten": "s",
        "Priority": "1",
        "Timeout": "2500",
        "Async": "true",
        "Variable": 'CHANNEL(hangup_handler_push)="undercap-gone,s,1",FORWARD_CONTEXT=undercap-moved',
        "CallerID": "0800123456",
    }
    assert order.deadline_s == 64.5
