"""A session's life: its timers, its ends, its back-pressure. Time is an argument, so nothing here waits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smpp.protocol import codec, statuses, wire
from smpp.protocol.codec import BindKind
from smpp.protocol.pdus import Malformed, Outcome, SubmitResult
from smpp.session.phases import Closing, Phase
from tests.unit.smpp.session.dialogues import ANSWER, DEADLINE_S, Said, bound, deliver, dialogue, header, read


def test_a_bind_without_an_answer_is_cut_when_its_time_is_over() -> None:
    made, _ = dialogue(bind_timeout_s=30)
    made.tick(29.9)
    assert made.course.phase is Phase.OPEN
    made.tick(30.0)
    assert (made.course.closing, made.course.fault) == (Closing.AT_ONCE, "no answer to the bind")


def test_a_silent_smsc_is_asked_then_cut() -> None:
    made, _ = bound(enquire_link_s=30, enquire_link_timeout_s=10)
    assert [read(made.tick(now).said) for now in (29.9, 30.0, 39.9)] == [
        [],
        [Said(codec.ENQUIRE_LINK, 0, 2)],
        [],
    ]
    made.tick(40.0)
    assert (made.course.closing, made.course.fault) == (Closing.AT_ONCE, "no answer to enquire_link")


def test_the_answer_to_our_enquire_link_is_no_stray() -> None:
    made, tally = bound(enquire_link_s=30, enquire_link_timeout_s=10)
    made.tick(30.0)
    made.hear(header("enquire_link_resp", 2), 35.0)
    made.tick(64.9)
    assert (made.course.phase, tally.strays) == (Phase.BOUND, 0)


def test_octets_without_a_whole_pdu_are_no_sign_of_life() -> None:
    made, _ = bound(enquire_link_s=30, enquire_link_timeout_s=10)
    made.hear(wire.HEADER.pack(wire.MAX_LENGTH, wire.DELIVER_SM, 0, 5), 1.0)
    for now in range(2, 41):
        made.hear(b"\0", float(now))
        made.tick(float(now))
    assert made.course.closing is Closing.AT_ONCE


def test_an_octet_at_a_time_with_pauses_is_a_message_at_its_last() -> None:
    made, _ = bound(enquire_link_s=30)
    *before, last = (bytes((octet,)) for octet in deliver(5))
    for at, octet in enumerate(before):
        assert made.hear(octet, at * 0.1) == ([], [], [], False)
    (message,) = made.hear(last, 10.0).messages
    assert (message.sequence, message.body) == (5, b"CODE")


def test_many_pdus_in_one_segment_are_all_heard_in_their_order() -> None:
    made, tally = bound(max_unanswered=10_000)
    octets = b"".join(deliver(n) + header("enquire_link", n) for n in range(1, 2001))
    step = made.hear(octets, 1.0)
    assert [message.sequence for message in step.messages] == list(range(1, 2001))
    assert read(step.said) == [Said(codec.ENQUIRE_LINK_RESP, 0, n) for n in range(1, 2001)]
    assert tally.received == 2000


def test_without_messages_it_unbinds() -> None:
    made, _ = bound(inactivity_s=300, enquire_link_s=1000)
    assert made.tick(299.9).said == []
    assert read(made.tick(300.0).said) == [Said(codec.UNBIND, 0, 2)]
    made.hear(header("unbind_resp", 2), 301.0)
    assert (made.course.closing, made.course.fault) == (Closing.POLITELY, "inactive")


def test_a_submit_without_an_answer_is_unknown_after_its_time() -> None:
    made, tally = bound(response_timeout_s=60, enquire_link_s=1000)
    made.submit(ANSWER, "token", 1.0)
    assert made.tick(60.9).results == []
    assert made.tick(61.0).results == [("token", None)]
    made.hear(header("submit_sm_resp", 2), 62.0)
    assert (tally.timeouts, tally.strays) == (1, 1)


def test_a_stop_waits_for_what_is_in_flight_then_unbinds() -> None:
    made, _ = bound()
    made.hear(deliver(5), 1.0)
    made.submit(ANSWER, "token", 1.0)
    assert made.stop(DEADLINE_S, 2.0) == []
    assert made.submit(ANSWER, "late", 2.0) is None
    assert read(made.hear(deliver(6), 2.0).said) == [Said(wire.DELIVER_SM_RESP, statuses.RX_T_APPN, 6)]
    assert made.inbox.answer(5, 0) == wire.encode_answer(wire.DELIVER_SM_RESP, 0, 5)
    assert made.leave(3.0) == []
    step = made.hear(wire.encode_answer(wire.SUBMIT_SM_RESP, 0, 2, "m1"), 4.0)
    assert step.results == [("token", SubmitResult(0, "m1"))]
    assert read(step.said) == [Said(codec.UNBIND, 0, 3)]
    made.hear(header("unbind_resp", 3), 5.0)
    assert (made.course.closing, made.course.fault) == (Closing.POLITELY, "unbound")


def test_a_stop_keeps_its_deadline_whatever_the_smsc_does() -> None:
    made, _ = bound()
    made.submit(ANSWER, "token", 1.0)
    made.stop(10.0, 1.0)
    assert made.tick(8.9).said == []
    assert read(made.tick(9.0).said) == [Said(codec.UNBIND, 0, 3)]
    made.tick(10.9)
    assert made.course.phase is Phase.UNBINDING
    made.tick(11.0)
    assert made.course.closing is Closing.AT_ONCE
    assert made.lose("gone") == [("token", None)]


def test_a_stop_before_the_bind_closes() -> None:
    made, _ = dialogue()
    assert made.stop(DEADLINE_S, 1.0) == []
    assert (made.course.closing, made.course.fault) == (Closing.POLITELY, "stopped")


@pytest.mark.parametrize(
    ("what", "octets", "last"),
    [
        ("the SMSC unbinds", header("unbind", 9), [Said(codec.UNBIND_RESP, 0, 9)]),
        ("framing is lost", wire.HEADER.pack(15, 5, 0, 9), []),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_answers_that_are_owed_leave_first(what: str, octets: bytes, last: list[Said]) -> None:
    del what
    made, _ = bound()
    made.hear(deliver(5) + octets, 1.0)
    assert made.course.phase is Phase.PARTING
    assert made.inbox.answer(5, 0) is not None
    assert read(made.leave(2.0)) == last
    assert made.course.closing is Closing.POLITELY


def test_answers_that_never_come_do_not_keep_a_parting() -> None:
    made, _ = bound()
    made.hear(deliver(5) + header("unbind", 9), 1.0)
    assert made.tick(2.9).said == []
    assert read(made.tick(3.0).said) == [Said(codec.UNBIND_RESP, 0, 9)]
    made.tick(3.5)
    made.tick(5.5)
    assert made.course.closing is Closing.AT_ONCE  # the close itself was not read
    assert made.course.fault == "the SMSC unbound"


def test_reading_rests_while_too_many_wait_and_time_stands_still_meanwhile() -> None:
    made, tally = bound(
        max_unanswered=10, enquire_link_s=30, enquire_link_timeout_s=10, response_timeout_s=60
    )
    made.submit(ANSWER, "in flight", 0.0)
    made.hear(b"".join(deliver(n) for n in range(1, 11)), 1.0)
    assert (made.inbox.full, tally.paused) == (True, 1)
    assert made.load[:4] == (10, 1, 100, 1)
    for now in range(2, 1000):
        step = made.tick(float(now))
        assert (step.said, step.results) == ([], [])  # neither dead nor late: we have not listened
    for n in range(1, 6):
        assert made.inbox.full
        made.inbox.answer(n, 0)
    assert not made.inbox.full
    step = made.hear(header("submit_sm_resp", 2) + header("enquire_link", 11), 1000.0)
    assert step.results == [("in flight", SubmitResult(0, ""))]
    assert read(step.said) == [Said(codec.ENQUIRE_LINK_RESP, 0, 11)]
    assert made.tick(1000.5).said == []


def test_what_cannot_be_sent_takes_no_room() -> None:
    made, tally = bound(window=1)
    refused = made.submit(ANSWER._replace(destination="3" * 30), "token", 1.0)
    assert refused == Malformed(statuses.RINVDSTADR)
    assert (made.window.free, tally.submitted) == (1, 0)
    assert isinstance(made.submit(ANSWER, "token", 1.0), bytes)
    assert made.submit(ANSWER, "no room", 1.0) is None


def test_a_receiver_submits_nothing() -> None:
    made, _ = bound(BindKind.RECEIVER)
    assert made.submit(ANSWER, "token", 1.0) is None


PDUS = st.one_of(
    st.builds(deliver, st.integers(1, 5)),
    st.builds(
        header,
        st.sampled_from(sorted(codec.COMMANDS)),
        st.integers(0, 6),
        st.sampled_from([0, 3, 0x58]),
    ),
    st.binary(max_size=20),
)
EVENTS = st.one_of(
    st.tuples(st.just("hear"), PDUS),
    st.tuples(st.just("answer"), st.integers(1, 5)),
    st.tuples(st.just("submit"), st.none()),
    st.tuples(st.just("tick"), st.none()),
    st.tuples(st.just("stop"), st.none()),
)
ORDER = list(Phase)


@settings(max_examples=300)
@given(st.sampled_from(list(BindKind)), st.lists(st.tuples(st.floats(0, 20), EVENTS), max_size=40))
def test_whatever_happens_nothing_is_lost_or_told_twice(
    kind: BindKind, events: list[tuple[float, tuple[str, Any]]]
) -> None:
    made, _ = bound(kind, window=3, max_unanswered=3)
    now, submitted, owed = 0.0, 0, set[int]()
    told: list[Outcome] = []
    phase = made.course.phase
    for pause, (event, value) in events:
        now += pause
        said: list[bytes] = []
        match event:
            case "hear":
                step = made.hear(value, now)
                said, told = step.said, told + step.results
                owed |= {message.sequence for message in step.messages}
            case "tick":
                step = made.tick(now)
                said, told = step.said, told + step.results
            case "answer":
                answer = made.inbox.answer(value, 0)
                assert (answer is not None) == (value in owed)
                owed -= {value}
                said = made.leave(now)
            case "submit":
                submitted += isinstance(made.submit(ANSWER, submitted, now), bytes)
            case "stop":
                said = made.stop(DEADLINE_S, now)
        read(said)
        assert ORDER.index(made.course.phase) >= ORDER.index(phase)
        phase = made.course.phase
        assert (phase is Phase.OVER) == (made.course.closing is not Closing.NOT_YET)
        assert made.load.in_flight == submitted - len(told)
        assert made.load.unanswered == len(owed)
    told += made.lose("the end")
    assert sorted(int(str(token)) for token, _ in told) == list(range(submitted))
    assert made.course.fault
