"""In which order one bind tries the hosts of its link; pure."""

from __future__ import annotations

from collections.abc import Sequence

from config.link_settings import Address


class Hosts:
    """The hosts of one bind, from its own first one on, in turn."""

    def __init__(self, addresses: Sequence[Address], first: int = 0) -> None:
        """`addresses`: at least one. `first`: where this bind begins; counted on over the end."""
        at = first % len(addresses)
        self._addresses = (*addresses[at:], *addresses[:at])
        self._lost: Address | None = None

    def round(self) -> tuple[Address, ...]:
        """Each once. Where a bind was lost last comes last: its host is gone, or accepts and drops."""
        return tuple(sorted(self._addresses, key=lambda address: address == self._lost))

    def lost(self, address: Address) -> None:
        """A bind that stood there is over."""
        self._lost = address
