"""What the intake makes of a receipt: filed with its phone's index and a cause, acknowledged behind that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from redis.exceptions import RedisError

from config.link_settings import LinkSettings
from gateway.store.texts.receipts import FiledReceipt
from gateway.store.vault.vault import Vault
from smpp.intake.intake import Intake
from smpp.protocol import statuses
from smpp.protocol.pdus import DeliverSm

VAULT = Vault(b"k" * 32)
PHONE = "380671234567"
UNUSED: Any = None


class FakeLink(NamedTuple):
    """A name and settings."""

    name: str
    settings: LinkSettings


class FakeLog:
    """Keeps receipts, or fails; `acknowledged` looks what was answered by then."""

    def __init__(self, session: FakeSession, fault: Exception | None = None) -> None:
        self.filed: list[FiledReceipt] = []
        self.answered_before: list[tuple[int, int]] = []
        self._session, self._fault = session, fault

    async def add(self, link: str, receipts: Sequence[FiledReceipt]) -> None:
        assert link == "one"
        self.answered_before += self._session.answers
        if self._fault is not None:
            raise self._fault
        self.filed += receipts


class FakeSession:
    """Notes the answers."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, int]] = []

    def answer(self, sequence: int, status: int) -> bool:
        self.answers.append((sequence, status))
        return True


async def taken(
    *messages: DeliverSm, fault: Exception | None = None
) -> tuple[FakeLog, FakeSession, list[str]]:
    """What an intake does with these: filed, answered, counted."""
    session, counted = FakeSession(), list[str]()
    log = FakeLog(session, fault)
    given: dict[str, Any] = {"receipts": log, "observe": lambda outcome, *_: counted.append(outcome)}
    intake = Intake(
        catalog=lambda: UNUSED,
        vault=VAULT,
        claims=UNUSED,
        join=UNUSED,
        poke=lambda: None,
        max_codes=1,
        storage_timeout_s=5,
        **given,
    )
    link: Any = FakeLink("one", LinkSettings(name="one", host="x", system_id="y", default_region="UA"))
    intake.take(link, session, messages)
    await intake.idle()
    return log, session, counted


def receipt(
    body: bytes = b"id:a1 stat:DELIVRD err:000",
    *,
    source: str = PHONE,
    ton: int = 1,
    destination: str = "4040",
) -> DeliverSm:
    return DeliverSm(7, source, ton, 1, destination, 4, 0, body, None, True)


@pytest.mark.parametrize(
    ("message", "shopper"),
    [
        pytest.param(receipt(), PHONE, id="from the phone"),
        pytest.param(receipt(source="0671234567", ton=2), PHONE, id="from the phone, in national form"),
        pytest.param(
            receipt(source="4040", ton=3, destination=PHONE), PHONE, id="addresses as in the submit"
        ),
        pytest.param(receipt(source="ACME", ton=5, destination=PHONE), PHONE, id="from a name to the phone"),
        pytest.param(receipt(source="", ton=0), "", id="from nobody"),
    ],
)
async def test_whose_it_is(message: DeliverSm, shopper: str) -> None:
    log, session, _ = await taken(message)
    assert [r.shopper for r in log.filed] == [VAULT.index(shopper) if shopper else ""]
    assert PHONE not in str(log.filed)
    assert session.answers == [(7, statuses.ROK)]


@pytest.mark.parametrize(
    ("body", "filed", "counted"),
    [
        (b"id:a1 stat:DELIVRD err:000", ("a1", "delivered", None), "receipt delivered"),
        (b"id:a1 stat:UNDELIV err:027", ("a1", "failed", "UNDELIV 027"), "receipt failed"),
        (b"id:a1 stat:REJECTD err:000", ("a1", "failed", "REJECTD"), "receipt failed"),
        (b"id:a1 stat:DELETED err:000", ("a1", "failed", "DELETED"), "receipt failed"),
        (b"id:a1 stat:EXPIRED err:1", ("a1", "expired", "EXPIRED 1"), "receipt expired"),
        (b"id:a1 stat:ENROUTE err:000", None, "receipt of no end"),
        (b"thank you", None, "receipt unreadable"),
    ],
)
async def test_what_it_says(body: bytes, filed: tuple[str, str, str | None] | None, counted: str) -> None:
    log, session, told = await taken(receipt(body))
    assert [(r.smsc_id, r.state, r.error) for r in log.filed] == ([] if filed is None else [filed])
    assert (session.answers, told) == ([(7, statuses.ROK)], [counted])


async def test_it_is_acknowledged_behind_its_storage() -> None:
    log, session, _ = await taken(receipt())
    assert (log.answered_before, session.answers) == ([], [(7, statuses.ROK)])


async def test_what_could_not_be_stored_is_refused_for_now() -> None:
    _, session, _ = await taken(receipt(), fault=RedisError())
    assert session.answers == [(7, 0x64)]
