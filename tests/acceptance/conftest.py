"""Every acceptance test runs gateways, and so has a database."""

from __future__ import annotations

import pytest

from tests.databases import Databases


@pytest.fixture(autouse=True, scope="module")
def _on_a_database(database: Databases) -> None:
    """Its gateways find it by `tests.databases.current`."""
