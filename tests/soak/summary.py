"""The summary that a long proof leaves behind, and prints."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.bench.machine import machine

RESULTS: Final = Path(__file__).parent / "results"


def keep(name: str, told: Mapping[str, Any]) -> None:
    """Write `results/NAME.json` with the date and the machine, and print it as one line of JSON."""
    whole = {
        "soak": name,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **told,
        "machine": asdict(machine()),
    }
    text = json.dumps(whole, indent=2, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(json.dumps(whole, ensure_ascii=False))
