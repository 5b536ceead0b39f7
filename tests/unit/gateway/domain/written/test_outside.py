"""Text from outside is fit for every store before it is queued."""

from __future__ import annotations

import pytest

from gateway.domain.sms.priority import Priority
from gateway.domain.written.outside import fits, fitted
from gateway.store.texts.receipts import FiledReceipt, packed, unpacked
from gateway.store.texts.sendqueue import Sent, Waiting, _result, parse_results

UNFIT = ("a\0b", "\ud800", "x\udfff", "\0")


@pytest.mark.parametrize("text", UNFIT)
def test_made_fit(text: str) -> None:
    assert not fits(text)
    assert fits(fitted(text, 100))
    assert len(fitted(text, 1)) == 1


def test_what_is_fit_stays() -> None:
    for text in ("", "Акція €", "\u2028\t\n", "😀"):
        assert fits(text)
        assert fitted(text, 100) == text


@pytest.mark.parametrize("text", UNFIT)
def test_receipts_and_outcomes_are_fit_when_they_are_queued(text: str) -> None:
    long = text + "9" * 200
    (receipt,) = unpacked(packed([FiledReceipt(long, "failed", long, 1)]))
    waiting = Waiting(1, "1-1", "id.1", b"", "4040", "", 1, 1, priority=Priority.REPLY)
    sent = Sent(waiting, "failed", long.replace("\0", ""), long, 1)
    (result,) = parse_results(_result(sent, "peer").encode())
    for told, most in (
        (receipt.smsc_id, 65),
        (receipt.error or "", 64),
        (result.smsc_id or "", 65),
        (result.error or "", 64),
    ):
        assert fits(told)
        assert len(told) == most
