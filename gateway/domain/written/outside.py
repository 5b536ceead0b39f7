"""Text from outside, made fit for every store before it is queued: SQL takes no NUL and no half a character.

PostgreSQL refuses both, and what is longer than its column; SQLite takes them. Whoever can ask again refuses
what is not fit (`fits`); whoever cannot, such as for an SMSC's id, keeps it as far as it is (`fitted`).
"""

from __future__ import annotations

import re
from typing import Final

_UNFIT: Final = re.compile("[\0\ud800-\udfff]")  # in Python a surrogate always stands alone
_INSTEAD: Final = "\ufffd"


def fits(text: str) -> bool:
    """Whether a store takes it, be it short enough.

    >>> fits("Akcija"), fits("a" + chr(0)), fits(chr(0xD800))
    (True, False, False)
    """
    return _UNFIT.search(text) is None


def fitted(text: str, most: int) -> str:
    """At most `most` characters of it, what no store takes replaced by U+FFFD.

    >>> fitted("id" + chr(0) + "12345", 4) == "id" + chr(0xFFFD) + "1"
    True
    """
    text = text[:most]
    return text if fits(text) else _UNFIT.sub(_INSTEAD, text)
