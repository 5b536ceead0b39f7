"""The numbers of the demo: nobody's, but what its page shows."""

from __future__ import annotations

from typing import Final

SHORT_NUMBER: Final = "4040"
FREE_NUMBER: Final = "0800500040"
SHOWN: Final = "0 800 50 00 40"  # the free number, as people write it
