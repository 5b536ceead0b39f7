"""An embedded Valkey that begins with an RDB file: the first base of its append-only file.

Source: valkey.io, "Persistence" (multi-part AOF): a manifest names a base and what was appended since.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from gateway.entry.valkey.place import Place

_FOLDER: Final = "appendonlydir"
_NAME: Final = "appendonly.aof"


def seed(where: Place, rdb: Path) -> None:
    """Lay `rdb` where the next start loads it. The place holds no data yet. Raises OSError."""
    where.directory.mkdir(mode=0o700, parents=True)
    folder = where.directory / _FOLDER
    folder.mkdir(mode=0o700)
    shutil.copyfile(rdb, folder / f"{_NAME}.1.base.rdb")
    (folder / f"{_NAME}.1.incr.aof").touch(mode=0o600)
    (folder / f"{_NAME}.manifest").write_text(
        f"file {_NAME}.1.base.rdb seq 1 type b\nfile {_NAME}.1.incr.aof seq 1 type i\n", encoding="ascii"
    )
