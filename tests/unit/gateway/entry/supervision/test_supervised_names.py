"""Which processes `undercap up` runs."""

from __future__ import annotations

import pytest

from config.settings import Settings
from gateway.entry.supervision.supervisor import names

IVR = {"enabled": True, "free_numbers": [{"number": "0800500040", "short_number": "4040"}]}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, ("worker", "smpp", "blasts", "api")),
        ({"simulator": {"enabled": True}}, ("simulate", "worker", "smpp", "blasts", "api")),
        ({"ivr": IVR}, ("worker", "smpp", "ivr", "blasts", "api")),
        (
            {"simulator": {"enabled": True}, "ivr": IVR, "demo": {"sip_port": 5070}},
            ("simulate", "worker", "smpp", "asterisk", "ivr", "blasts", "api"),
        ),
        ({"ivr": IVR, "demo": {"sip_port": 5070}}, ("worker", "smpp", "ivr", "blasts", "api")),
    ],
    ids=["plain", "demo", "free number", "demo with its Asterisk", "no demo"],
)
def test_only_what_is_enabled_runs(sections: dict[str, object], expected: tuple[str, ...]) -> None:
    assert expected == names(Settings.model_validate(sections))
