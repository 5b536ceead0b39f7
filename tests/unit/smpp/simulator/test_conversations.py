"""What a handset's screen keeps."""

from __future__ import annotations

from smpp.simulator.conversations import Bubble, Conversations, Direction, Tick


def texted(bubble_id: str, *, peer: str = "4040", tick: Tick = Tick.SENT, at: float = 1.0) -> Bubble:
    return Bubble(
        id=bubble_id,
        handset="olena",
        direction=Direction.TEXTED,
        peer=peer,
        text="hi",
        encoding="GSM-7",
        segments=1,
        at=at,
        tick=tick,
    )


def ticks(conversations: Conversations) -> list[tuple[str, Tick | None]]:
    return [(bubble.id, bubble.tick) for bubble in conversations.of("olena")]


def test_is_bounded_and_forgets_the_oldest() -> None:
    conversations = Conversations(capacity=2)
    for name in ("a", "b", "c"):
        conversations.add(texted(name))
    assert [bubble.id for bubble in conversations.of("olena")] == ["b", "c"]
    assert conversations.progress("a", Tick.ACKNOWLEDGED, 2.0) is None


def test_a_text_goes_from_sent_to_answered() -> None:
    conversations = Conversations(capacity=5)
    conversations.add(texted("a"))
    conversations.progress("a", Tick.SENT, 1.0, attempts=2)
    taken = conversations.progress("a", Tick.ACKNOWLEDGED, 1.25)
    answered = conversations.answer("olena", "4040", 1.5)
    assert taken is not None
    assert (taken.acknowledged_at, taken.attempts) == (1.25, 2)
    assert answered is not None
    assert (answered.tick, answered.acknowledged_at, answered.answered_at) == (Tick.ANSWERED, 1.25, 1.5)


def test_an_answer_belongs_to_the_latest_text_that_has_none() -> None:
    conversations = Conversations(capacity=5)
    conversations.add(texted("silent", tick=Tick.ACKNOWLEDGED))
    conversations.add(texted("other number", peer="5050", tick=Tick.ACKNOWLEDGED))
    conversations.add(texted("asked", tick=Tick.ACKNOWLEDGED))
    conversations.answer("olena", "4040", 2.0)
    assert ticks(conversations) == [
        ("silent", Tick.ACKNOWLEDGED),
        ("other number", Tick.ACKNOWLEDGED),
        ("asked", Tick.ANSWERED),
    ]


def test_an_answer_that_overtakes_the_acknowledgement_stays_an_answer() -> None:
    conversations = Conversations(capacity=5)
    conversations.add(texted("a"))
    conversations.answer("olena", "4040", 1.1)
    late = conversations.progress("a", Tick.ACKNOWLEDGED, 1.2)
    assert late is not None
    assert (late.tick, late.acknowledged_at) == (Tick.ANSWERED, 1.2)


def test_an_answer_to_nothing_marks_nothing() -> None:
    conversations = Conversations(capacity=5)
    conversations.add(texted("refused", tick=Tick.REFUSED))
    assert conversations.answer("olena", "4040", 2.0) is None
    assert conversations.answer("nobody", "4040", 2.0) is None
