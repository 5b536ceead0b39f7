"""Segments of a text as PDUs: the validity period in SMPP's relative form."""

from __future__ import annotations

from itertools import pairwise

import pytest

from config.link_settings import LinkSettings
from gateway.store.sendqueue import Waiting
from smpp.outgoing import References, validity

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


def test_references_count_up_for_each_destination() -> None:
    references = References()
    first = [references.next("1") for _ in range(300)]
    assert all((b - a) % 256 == 1 for a, b in pairwise(first))
    assert (references.next("1") - first[-1]) % 256 == 1
