"""Segments of a text as PDUs: the validity period in SMPP's relative form."""

from __future__ import annotations

from itertools import pairwise

import pytest

from config.link_settings import LinkSettings
from gateway.domain.sms.priority import Priority
from gateway.store.texts.sendqueue import Waiting
from smpp.sending.outgoing import References, prepare, validity

NOW_MS = 1_700_000_000_000
DAY_S = 86_400


@pytest.mark.parametrize(
    ("until_s", "setting_s", "written"),
    [
        pytest.param(0, 0, "", id="the SMSC's own time"),
        pytest.param(0, 3 * DAY_S, "000003000000000R", id="the link's setting"),
        pytest.param(600, 3 * DAY_S, "000000001000000R", id="a PIN: as long as it is of use"),
        pytest.param(5, 0, "000000000100000R", id="a minute at least"),
        pytest.param(0, 45 * DAY_S + 3661, "000115010101000R", id="months, days, hours, minutes, seconds"),
    ],
)
def test_validity(until_s: int, setting_s: int, written: str) -> None:
    waiting = Waiting(
        1, "1-0", "m", b"", "4040", "", NOW_MS, 1, until=NOW_MS + until_s * 1000 if until_s else 0
    )
    settings = LinkSettings(name="a", host="x", system_id="y", validity_s=setting_s)
    assert validity(waiting, settings, NOW_MS) == written


@pytest.mark.parametrize(
    ("text", "receipts", "until", "ids", "asked"),
    [
        pytest.param("Я" * 100, True, 0, ("a", "b"), [1, 1], id="long: each part has its receipt"),
        pytest.param("Я" * 100, False, 0, (), [0, 0], id="the link asks for none"),
        pytest.param("Я" * 100, True, 600, (), [0, 0], id="what is soon of no use has no row"),
        pytest.param("Я", True, 0, (), [1], id="short: its id is the answer's"),
    ],
)
def test_ids_of_parts(text: str, receipts: bool, until: int, ids: tuple[str, ...], asked: list[int]) -> None:
    waiting = Waiting(1, "1-0", "m", b"", "4040", "", NOW_MS, 1, until=NOW_MS + until * 1000 if until else 0)
    settings = LinkSettings(name="a", host="x", system_id="y", receipts=receipts)
    outgoing = prepare(waiting, "380671234567", text, settings, References(), now=0.0, now_ms=NOW_MS)
    for segment, smsc_id in zip(reversed(outgoing.segments), ("b", "a"), strict=False):
        outgoing.took(segment, smsc_id)
    assert (outgoing.filed_ids, outgoing.smsc_id) == (ids, "b")
    assert [segment.registered_delivery for segment in outgoing.segments] == asked


def test_references_count_up_for_each_destination() -> None:
    references = References()
    first = [references.next("1") for _ in range(300)]
    assert all((b - a) % 256 == 1 for a, b in pairwise(first))
    assert (references.next("1") - first[-1]) % 256 == 1


def test_marketing_that_expires_has_a_receipt_and_is_not_delivered_afterwards() -> None:
    waiting = Waiting(
        *(1, "1-0", "m", b"", "4040", "", NOW_MS, 1), until=NOW_MS + 3_600_000, priority=Priority.BULK
    )
    settings = LinkSettings(name="a", host="x", system_id="y")
    outgoing = prepare(waiting, "380671234567", "Hi", settings, References(), now=0.0, now_ms=NOW_MS)
    (segment,) = outgoing.segments
    assert (segment.registered_delivery, segment.validity_period) == (1, "000000010000000R")
