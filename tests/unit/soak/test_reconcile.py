"""The verdict of `make soak-smpp` notices each promise that could be broken, and its runs are repeatable."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.soak.reconcile import Books, Row, reconcile
from tests.soak.trouble_journal import Submit, TroubleJournal
from tests.soak.trouble_texts import Form, Text, order, texts
from tests.soak.weather import EVENTS, forecast

TEXT = Text(sender=b"380670000001", form=Form.SHORT, code="c", serial=5, units=())
SUBMIT = Submit(
    part=1,
    last=True,
    status=0,
    message_id="a1",
    receipt=True,
    link=1,
    at=10,
    doubtful=False,
    answered_at=10.1,
)
NUMBER = TEXT.sender.decode()
ROW = Row("delivered", "a1", 1, None, 1)
SILENT = replace(SUBMIT, status=None, answered_at=0.0)
UNHEARD = replace(SUBMIT, message_id="a0", answered_at=19.0)
LONG = (replace(SUBMIT, last=False), replace(SUBMIT, part=2, message_id="a2"))
THROTTLED = replace(SUBMIT, status=0x58)


def faults(
    *,
    text: Text = TEXT,
    missing: int = 0,
    submits: tuple[Submit, ...] = (SUBMIT,),
    sound: dict[str, str] | None = None,
    serials: tuple[int, ...] = (5,),
    entries: tuple[tuple[str, int], ...] = (("activation", 10),),
    rows: tuple[Row, ...] = (ROW,),
    lost_links: dict[int, float] | None = None,
) -> list[str]:
    """What the verdict says of one text, one fault a line, without who it was."""
    journal = TroubleJournal(
        response_timeout_s=3.0,
        missing=[missing],
        submits={NUMBER: list(submits)},
        sound={"a1": "delivered"} if sound is None else sound,
        lost_links=lost_links or {},
    )
    found = Books(
        activations={NUMBER: list(serials)}, entries={NUMBER: list(entries)}, messages={NUMBER: list(rows)}
    )
    verdict = reconcile([text], journal, found, index=lambda number: number, points=10)
    return [fault.partition(":")[0] for fault in verdict.faults]


SOUND: dict[str, dict[str, Any]] = {
    "delivered": {},
    "throttled, then delivered": {"submits": (THROTTLED, SUBMIT)},
    "a wrong code is answered and credits nothing": {
        "text": replace(TEXT, serial=None),
        "serials": (),
        "entries": (),
    },
    "doubled after silence": {"submits": (SILENT, SUBMIT), "rows": (ROW._replace(attempts=2),)},
    "doubled after a late answer": {"submits": (UNHEARD, SUBMIT), "rows": (ROW._replace(attempts=2),)},
    "doubled because the link broke": {
        "submits": (replace(SUBMIT, message_id="a0"), replace(SUBMIT, link=2)),
        "rows": (ROW._replace(attempts=2),),
        "lost_links": {1: 10.2},
    },
    "refused for good": {
        "submits": (replace(SUBMIT, status=0x0B),),
        "rows": (Row("failed", None, 1, "0xb", 1),),
        "sound": {},
    },
    "a long one, of whose parts one has no receipt": {
        "submits": LONG,
        "rows": (Row("accepted", "a2", 1, None, 1, "a1,a2"),),
        "sound": {"a2": "delivered"},
    },
    "a long one, of whose parts one failed": {
        "submits": LONG,
        "rows": (Row("failed", "a2", 1, "UNDELIV 027", 1, "a1,a2"),),
        "sound": {"a1": "failed", "a2": "delivered"},
    },
    "twice unknown": {
        "submits": (SILENT, SILENT),
        "rows": (Row("unknown", None, 2, None, 1),),
        "sound": {},
    },
}


@pytest.mark.parametrize("case", SOUND.values(), ids=SOUND.keys())
def test_books_that_agree(case: dict[str, Any]) -> None:
    assert faults(**case) == []


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "not acknowledged": ({"missing": 1}, "never acknowledged"),
    "not credited": ({"serials": ()}, "not exactly one activation of its code"),
    "credited twice": ({"serials": (5, 5)}, "not exactly one activation of its code"),
    "another's code": ({"serials": (6,)}, "not exactly one activation of its code"),
    "no entry": ({"entries": ()}, "not exactly one ledger entry"),
    "wrong points": ({"entries": (("activation", 11),)}, "not exactly one ledger entry"),
    "no answer": ({"rows": ()}, "0 answers to a text"),
    "two answers": ({"rows": (ROW, ROW)}, "2 answers to a text"),
    "no end": ({"rows": (ROW._replace(state="queued", ended_at=None),)}, "its answer has no end"),
    "doubled needlessly": (
        {"submits": (SUBMIT, SUBMIT), "rows": (ROW._replace(attempts=2),)},
        "doubled though each outcome was known",
    ),
    "doubled and not counted": ({"submits": (SILENT, SUBMIT)}, "doubled more often than it is marked"),
    "accepted by nobody": ({"submits": ()}, "delivered without its id in the journal"),
    "the id of a first part": (
        {"submits": (replace(SUBMIT, last=False),)},
        "the id is not that of its last part",
    ),
    "receipt not filed": (
        {"rows": (ROW._replace(state="accepted"),)},
        "accepted, though its receipt says delivered",
    ),
    "a long one, delivered by the receipt of one part": (
        {
            "submits": LONG,
            "rows": (Row("delivered", "a2", 1, None, 1, "a1,a2"),),
            "sound": {"a2": "delivered"},
        },
        "delivered, though its receipt says None",
    ),
    "delivered by a mangled receipt": ({"sound": {}}, "delivered, though its receipt says None"),
    "failed for nothing": (
        {"rows": (ROW._replace(state="failed", error="0x8"),)},
        "failed (0x8) though the SMSC did not refuse it",
    ),
    "unknown and not tried again": (
        {"submits": (SILENT,), "rows": (Row("unknown", None, 1, None, 1),), "sound": {}},
        "unknown, and not sent once more",
    ),
    "unknown for nothing": (
        {"submits": (THROTTLED, SUBMIT), "rows": (Row("unknown", None, 2, None, 1),), "sound": {}},
        "unknown, though its outcomes were told",
    ),
}


@pytest.mark.parametrize(("case", "fault"), BROKEN.values(), ids=BROKEN.keys())
def test_books_that_do_not_agree(case: dict[str, Any], fault: str) -> None:
    assert faults(**case) == [fault]


def test_a_run_follows_from_its_seed() -> None:
    codes = {f"{i:013d}": i for i in range(400)}
    ones, others = texts(codes, 7), texts(codes, 8)
    assert ones == texts(codes, 7)
    assert order(ones, 7) == order(texts(codes, 7), 7)
    assert ones != others
    assert {text.form for text in ones} == set(Form)
    assert any(text.serial is None for text in ones)


def test_every_event_comes_and_every_unit_is_sent() -> None:
    weathers = forecast(1_003, 7, stretches=9, slowest=50, fastest=900)
    assert weathers == forecast(1_003, 7, stretches=9, slowest=50, fastest=900)
    assert sum(weather.texts for weather in weathers) == 1_003
    assert {weather.event for weather in weathers} >= set(EVENTS)
    assert len({weather.rate for weather in weathers}) == 9
