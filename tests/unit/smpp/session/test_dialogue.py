"""Each PDU that an SMSC may send, in each state of a session: what is said, what is counted, what follows."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import BindKind
from smpp.session.counters import COUNTERS, Tally
from smpp.session.dialogue import Dialogue
from smpp.session.phases import Closing, Phase
from tests.unit.smpp.session.dialogues import Said, bound, data_sm, deliver, dialogue, header, read, unbinding

STATES: dict[str, Callable[[], tuple[Dialogue, Tally]]] = {
    "open": dialogue,
    "trx": bound,
    "rx": lambda: bound(BindKind.RECEIVER),
    "tx": lambda: bound(BindKind.TRANSMITTER),
    "unbinding": unbinding,
}
N = 77
UNKNOWN = wire.HEADER.pack(20, 0x00010203, 0, N) + b"what"
UNKNOWN_RESP = wire.HEADER.pack(16, 0x80010203, 0, N)
TLVS = b"\x14\x03\x00\x06vendor" + b"\x3f\xff\x00\x00"


class Case(NamedTuple):
    """`status` None: nothing is said. `counter` "": nothing but `received` is counted."""

    what: str
    octets: bytes
    states: str
    command: int = 0
    status: int | None = None
    counter: str = ""
    phase: Phase | None = None  # None: as it was
    messages: int = 0


def with_parameters(octets: bytes) -> bytes:
    return (
        wire.HEADER.pack(len(octets) + len(TLVS), *wire.HEADER.unpack_from(octets)[1:]) + octets[16:] + TLVS
    )


DELIVER_RESP, DATA_RESP = wire.DELIVER_SM_RESP, wire.DATA_SM_RESP
NO_BIND, LATER, ROK = statuses.RINVBNDSTS, statuses.RX_T_APPN, statuses.ROK
EVERY = "open trx rx tx unbinding"
BOUND = "trx rx tx"
CUT = deliver(N)[16:24]

CASES = [
    Case("deliver_sm", deliver(N), "trx rx", messages=1),
    Case("deliver_sm", deliver(N), "open tx", DELIVER_RESP, NO_BIND, "wrong_state"),
    Case("deliver_sm", deliver(N), "unbinding", DELIVER_RESP, LATER, "put_off"),
    Case("deliver_sm with unknown TLVs", with_parameters(deliver(N)), "trx rx", messages=1),
    Case("deliver_sm cut", header("deliver_sm", N, 0, CUT), "trx rx", DELIVER_RESP, 2, "malformed"),
    Case("deliver_sm cut", header("deliver_sm", N, 0, CUT), "open tx", DELIVER_RESP, NO_BIND, "wrong_state"),
    Case("data_sm", data_sm(N), "trx rx", messages=1),
    Case("data_sm", data_sm(N), "open tx", DATA_RESP, NO_BIND, "wrong_state"),
    Case("data_sm", data_sm(N), "unbinding", DATA_RESP, LATER, "put_off"),
    Case("data_sm with unknown TLVs", with_parameters(data_sm(N)), "trx rx", messages=1),
    Case("data_sm cut", header("data_sm", N, 0, CUT), "trx rx", DATA_RESP, 2, "malformed"),
    Case("unbind", header("unbind", N), BOUND, codec.UNBIND_RESP, ROK, "", Phase.OVER),
    Case("unbind", header("unbind", N), "unbinding", codec.UNBIND_RESP, ROK, "", Phase.OVER),
    Case("unbind", header("unbind", N), "open", codec.UNBIND_RESP, NO_BIND, "wrong_state", Phase.OVER),
    Case("outbind", header("outbind", N, 0, b"a\0b\0"), "open", 0, None, "outbinds", Phase.OVER),
    Case("outbind", header("outbind", N, 0, b"a\0b\0"), "unbinding", 0, None, "outbinds"),
    Case("enquire_link", header("enquire_link", N), EVERY, codec.ENQUIRE_LINK_RESP, ROK),
    Case("alert_notification", header("alert_notification", N), "trx rx unbinding", 0, None, "alerts"),
    Case("alert_notification", header("alert_notification", N), "open tx", 0, None, "wrong_state"),
    Case(
        "generic_nack to nothing", header("generic_nack", N, 3), EVERY.replace("open ", ""), 0, None, "nacks"
    ),
    Case("generic_nack without a number", header("generic_nack", 0, 3), BOUND, 0, None, "nacks"),
    Case("generic_nack of the bind", header("generic_nack", 1, 3), "open", phase=Phase.OVER),
    Case("generic_nack of the bind, 0", header("generic_nack", 0, 3), "open", phase=Phase.OVER),
    Case("generic_nack of the unbind", header("generic_nack", 2, 3), "unbinding", phase=Phase.OVER),
    Case("bind refused", header("bind_transceiver_resp", 1, 0x0D), "open", phase=Phase.OVER),
    Case("another bind's answer", header("bind_receiver_resp", 1, 0), "open", phase=Phase.OVER),
    Case("bind_resp to nothing", header("bind_transceiver_resp", N), EVERY, 0, None, "strays"),
    Case("bind_resp twice", header("bind_transceiver_resp", 1), BOUND, 0, None, "strays"),
    Case("unbind_resp", header("unbind_resp", 2), "unbinding", phase=Phase.OVER),
    Case("unbind_resp of another number", header("unbind_resp", N), "unbinding", phase=Phase.OVER),
    Case("unbind_resp to nothing", header("unbind_resp", N), "open trx rx tx", 0, None, "strays"),
    Case("enquire_link_resp to nothing", header("enquire_link_resp", N), EVERY, 0, None, "strays"),
    Case("submit_sm_resp to nothing", header("submit_sm_resp", N), EVERY, 0, None, "strays"),
    Case("deliver_sm_resp to nothing", header("deliver_sm_resp", N), EVERY, 0, None, "strays"),
    Case("an unknown response", UNKNOWN_RESP, EVERY, 0, None, "strays"),
    Case("an unknown command", UNKNOWN, EVERY, codec.GENERIC_NACK, statuses.RINVCMDID, "unknown_commands"),
    *(
        Case(name, header(name, N), EVERY, codec.COMMANDS[f"{name}_resp"], NO_BIND, "wrong_state")
        for name in (
            "submit_sm",
            "submit_multi",
            "query_sm",
            "cancel_sm",
            "replace_sm",
            "bind_receiver",
            "bind_transmitter",
            "bind_transceiver",
        )
    ),
    *(
        Case(
            f"a length of {length}",
            wire.HEADER.pack(length, wire.DELIVER_SM, 0, N),
            EVERY,
            codec.GENERIC_NACK,
            statuses.RINVCMDLEN,
            "",
            Phase.OVER,
        )
        for length in (0, 15, wire.MAX_LENGTH + 1, 2**31, 2**32 - 1)
    ),
]


@pytest.mark.parametrize(
    ("case", "state"),
    [
        pytest.param(case, state, id=f"{state}: {case.what}")
        for case in CASES
        for state in case.states.split()
    ],
)
def test_what_is_said_and_what_becomes_of_it(case: Case, state: str) -> None:
    made, tally = STATES[state]()
    before, phase = {name: getattr(tally, name) for name in COUNTERS}, made.course.phase
    said, messages, results, _ = made.hear(case.octets, 1.0)

    assert read(said) == ([] if case.status is None else [Said(case.command, case.status, N)])
    assert (len(messages), results) == (case.messages, [])
    counted = {name for name in COUNTERS if getattr(tally, name) != before[name]}
    assert counted == ({case.counter} - {""}) | ({"received"} if case.messages else set())
    assert made.course.phase is (case.phase or phase)
    over = made.course.phase is Phase.OVER
    assert made.course.closing is (Closing.POLITELY if over else Closing.NOT_YET)
    assert bool(made.course.fault) == (over or state == "unbinding" or case.counter == "outbinds")

    # A session that lives on, lives on: the next PDU is heard, framing was kept.
    after = read(made.hear(header("enquire_link", 78), 1.0).said)
    assert after == ([] if over else [Said(codec.ENQUIRE_LINK_RESP, 0, 78)])


def test_every_command_of_smpp_34_is_in_the_table() -> None:
    said = {int.from_bytes(case.octets[4:8], "big") for case in CASES}
    # The answers that only an ESME that asks such things could get.
    unasked = {"query_sm", "cancel_sm", "replace_sm", "submit_multi", "data_sm", "bind_transmitter"}
    assert codec.KNOWN_COMMANDS - said <= {codec.COMMANDS[f"{name}_resp"] for name in unasked}


@pytest.mark.parametrize("state", ["trx", "rx", "tx"])
def test_an_outbind_on_a_bind_of_ours_leads_to_an_unbind(state: str) -> None:
    made, tally = STATES[state]()
    said = made.hear(header("outbind", N, 0, b"a\0b\0"), 1.0).said
    assert read(said) == [Said(codec.UNBIND, 0, 2)]
    assert (made.course.phase, tally.outbinds) == (Phase.UNBINDING, 1)
    made.hear(header("unbind_resp", 2), 1.0)
    assert (made.course.phase, made.course.fault) == (Phase.OVER, "the SMSC sent an outbind")


@pytest.mark.parametrize("order", [["unbind", "unbind_resp"], ["unbind"]], ids=" then ".join)
def test_unbinds_that_cross_are_answered(order: list[str]) -> None:
    made, _ = unbinding()
    octets = b"".join(header(name, N if name == "unbind" else 2) for name in order)
    assert read(made.hear(octets, 1.0).said) == [Said(codec.UNBIND_RESP, 0, N)]
    assert made.course.phase is Phase.OVER
