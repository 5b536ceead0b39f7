"""The table of statuses, and a link's own lines over it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from pydantic import ValidationError

from config.link_settings import LinkSettings
from config.statuses import FINAL, Refusal, table
from smpp.protocol import statuses


def link(**own: Mapping[str, object]) -> LinkSettings:
    return LinkSettings.model_validate({"name": "a", "host": "x", "system_id": "y", "statuses": own})


@pytest.mark.parametrize(
    ("status", "meant"),
    [
        pytest.param(statuses.RTHROTTLED, Refusal(slows=True), id="throttled: as long as the text may wait"),
        pytest.param(statuses.RSYSERR, Refusal(retries=4, delay_s=15), id="system error"),
        pytest.param(statuses.RSUBMITFAIL, Refusal(retries=1, delay_s=60), id="submit failed: once more"),
        pytest.param(statuses.RINVDSTADR, FINAL, id="bad number: final"),
        pytest.param(0x0400, FINAL, id="a vendor's own: final"),
    ],
)
def test_table(status: int, meant: Refusal) -> None:
    assert link().refusal(status) == meant


def test_links_own_lines_stand_over_the_table() -> None:
    own = link(**{"0x58": {"retries": 2, "delay_s": 30}, "1024": {"retries": 1}})
    assert own.refusal(statuses.RTHROTTLED) == Refusal(retries=2, delay_s=30)
    assert own.refusal(1024) == Refusal(retries=1)
    assert own.refusal(statuses.RSYSERR) == table()[statuses.RSYSERR]


@pytest.mark.parametrize("own", [{"busy": {}}, {"0x58": {"retrys": 2}}, {"0x58": {"retries": -1}}])
def test_wrong_lines_are_refused(own: Mapping[str, Mapping[str, object]]) -> None:
    with pytest.raises(ValidationError, match="statuses"):
        link(**own)
