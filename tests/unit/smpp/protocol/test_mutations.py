"""Sessions of real SMSCs, bent thousands of ways: each request has its one answer, each token one result."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from smpp.protocol import codec, statuses, wire
from smpp.protocol.pdus import Outcome
from smpp.session.phases import Phase
from tests.soak.mutator import Mutator
from tests.unit.smpp.session.dialogues import ANSWER, bound, header, read

STREAMS = 500  # `make soak-octets` bends as many as one has time for
SAID = {
    path.stem: [bytes.fromhex(line) for line in path.read_text().splitlines() if not line.startswith("#")]
    for path in sorted((Path(__file__).parents[3] / "data" / "captures").glob("*.hex"))
}
WITHOUT_RESPONSE = {codec.OUTBIND, codec.ALERT_NOTIFICATION}


def requests(octets: bytes) -> tuple[Counter[int], bool]:
    """Sequence numbers of the requests that want an answer, read the plain way; and if framing was lost."""
    found: Counter[int] = Counter()
    while len(octets) >= 16:
        length, command, _, sequence = wire.HEADER.unpack_from(octets)
        if not 16 <= length <= wire.MAX_LENGTH:
            return found, True
        if length > len(octets):
            break
        if not command & wire.RESPONSE and command not in WITHOUT_RESPONSE:
            found[sequence] += 1
        octets = octets[length:]
    return found, False


def test_the_captures_are_of_several_smscs_and_of_every_kind() -> None:
    commands = {int.from_bytes(pdu[4:8], "big") for pdus in SAID.values() for pdu in pdus}
    assert len(SAID) >= 2
    assert commands >= {
        codec.BindKind.TRANSCEIVER.command | wire.RESPONSE,
        wire.DELIVER_SM,
        wire.SUBMIT_SM_RESP,
        codec.ENQUIRE_LINK_RESP,
        codec.UNBIND,
    }


@pytest.mark.parametrize("smsc", sorted(SAID))
def test_a_capture_as_it_was_is_a_session_without_a_fault(smsc: str) -> None:
    made, tally = bound()
    for token in range(5):
        made.submit(ANSWER, token, 0.0)
    step = made.hear(b"".join(SAID[smsc][1:]), 1.0)
    for message in step.messages:
        assert made.inbox.answer(message.sequence, 0)
    # In whatever order: smpp34's server answers in threads.
    assert {token for token, result in step.results if result and not result.status} == set(range(5))
    assert (tally.malformed, tally.unknown_commands, tally.wrong_state) == (0, 0, 0)
    assert [pdu.command for pdu in read(made.leave(1.0))] == [codec.UNBIND_RESP]


@pytest.mark.parametrize("smsc", sorted(SAID))
def test_bent_sessions_live_or_end_with_the_right_word(smsc: str) -> None:
    chance = random.Random(smsc)  # noqa: S311 - repeatable on purpose
    ends: Counter[str] = Counter()
    for seed in range(STREAMS):
        mutator = Mutator(seed, share=chance.choice((0.05, 0.3, 0.9)))
        octets = mutator.stream(SAID[smsc][1:])
        try:
            ends[_bent(octets, mutator.pieces(octets), chance)] += 1
        except Exception as err:
            raise AssertionError(f"{smsc}, seed {seed}") from err
    assert {"bound", "framing lost"} <= set(ends)


def _bent(octets: bytes, pieces: list[bytes], chance: random.Random) -> str:
    """One session; how it ended."""
    made, _ = bound(max_unanswered=8)
    said: list[bytes] = []
    waiting: list[int] = []
    results: list[Outcome] = []
    for token in range(5):
        made.submit(ANSWER, token, 0.0)
    for at, piece in enumerate(pieces):
        step = made.hear(piece, at * 0.001)
        said += step.said
        results += step.results
        waiting += [message.sequence for message in step.messages]
        while waiting and chance.random() < 0.5:
            said.append(_answered(made.inbox.answer(waiting.pop(), 0)))
            said += made.leave(at * 0.001)
    for sequence in waiting:
        said.append(_answered(made.inbox.answer(sequence, 0)))
    said += made.leave(1.0)
    wanted, lost = requests(octets)
    answers = Counter(pdu.sequence for pdu in read(said) if pdu.command & wire.RESPONSE)
    nacks = [
        pdu for pdu in read(said) if (pdu.command, pdu.status) == (codec.GENERIC_NACK, statuses.RINVCMDLEN)
    ]
    end = "bound" if made.course.phase is Phase.BOUND else made.course.fault.partition(":")[0]
    if end == "bound":
        assert answers == wanted
        assert not lost
    elif end == "framing lost":
        assert len(nacks) == 1
        assert answers - Counter(pdu.sequence for pdu in nacks) == wanted
    else:  # it unbound: what came behind that is not read
        assert not answers - wanted - Counter(pdu.sequence for pdu in nacks)
    results += made.lose("the end")
    assert Counter(token for token, _ in results) == Counter(range(5))
    assert made.hear(header("enquire_link", 1), 2.0).said == []
    return end


def _answered(octets: bytes | None) -> bytes:
    assert octets is not None
    return octets
