"""The clock of a session: time is an argument, so nothing here waits."""

from __future__ import annotations

from smpp.session.timers import Due, Timers


def timers(*, inactivity_s: float = 0.0) -> Timers:
    return Timers(
        enquire_link_s=30, enquire_link_timeout_s=10, heard=0.0, active=0.0, inactivity_s=inactivity_s
    )


def test_a_peer_that_is_heard_is_not_asked() -> None:
    clock = timers()
    clock.heard = 25.0
    assert clock.due(54.9) is Due.NOTHING


def test_a_silent_peer_is_asked_once_and_then_dead() -> None:
    clock = timers()
    assert [clock.due(now) for now in (29.9, 30.0, 35.0, 39.9, 40.0)] == [
        Due.NOTHING,
        Due.ENQUIRE,
        Due.NOTHING,
        Due.NOTHING,
        Due.DEAD,
    ]


def test_anything_heard_answers_the_question() -> None:
    clock = timers()
    assert clock.due(30.0) is Due.ENQUIRE
    clock.heard = 33.0
    assert [clock.due(now) for now in (41.0, 62.9, 63.0)] == [Due.NOTHING, Due.NOTHING, Due.ENQUIRE]


def test_without_messages_the_session_is_inactive_however_alive_the_peer() -> None:
    clock = timers(inactivity_s=300)
    clock.heard = 299.0
    assert clock.due(299.9) is Due.NOTHING
    assert clock.due(300.0) is Due.INACTIVE
    clock.active = 300.0
    assert clock.due(301.0) is Due.NOTHING
