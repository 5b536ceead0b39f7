"""Recordings as they are told, by HTTP and by command."""

from __future__ import annotations

from typing import Any

from gateway.domain.written import instants
from gateway.store.calls.recordings import Recording


def recording(found: Recording) -> dict[str, Any]:
    """As the description of the API has it."""
    return {
        "id": found.id,
        "name": found.name,
        "language": found.language,
        "source": found.source,
        "words": found.words,
        "seconds": found.milliseconds / 1000,
        "created_at": instants.told(found.created_at, "seconds"),
    }
