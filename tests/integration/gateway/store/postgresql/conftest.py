"""The houses of other tests; here they are on PostgreSQL alone."""

from __future__ import annotations

from tests.integration.conftest import house, shared_server

__all__ = ["house", "shared_server"]
