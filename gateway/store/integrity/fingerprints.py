"""The master secret's fingerprint as SQL knows it: a process with another secret is noticed.

It is derived (HKDF) and leads to nothing. Whoever starts first where none is known, the deployment being new
or of an earlier version, notes its own, once it has proved that it opens what stands there.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, select, update

from gateway.store.sql import database, schema
from gateway.store.vault.master_secret import MasterSecretError
from gateway.store.vault.vault import SealBroken, Vault

_LENGTH = 16  # octets
_LABEL = "fingerprint/master"
_MEND = "copy it from another machine, or put it back from your backup"


def refuse_second(engine: Engine, file: Path) -> None:
    """Refuse to make a master secret where the database knows one already. Raises MasterSecretError."""
    with engine.connect() as connection:
        known = connection.scalar(select(schema.deployment.c.master_print))
        if known is None and connection.scalar(select(schema.firm.c.id).limit(1)) is None:
            return
    raise MasterSecretError(
        f"{file}: the master secret is not here, but the database was made under one: {_MEND}"
    )


def fits(engine: Engine, vault: Vault) -> bool:
    """Whether it is the secret under which the database was made, as far as can be told; changes nothing."""
    known = _known(engine)
    return known == _of(vault) if known is not None else _opens(engine, vault)


def confirm(engine: Engine, vault: Vault, where: str) -> None:
    """Hold a vault's master secret against the database, which notes it if it knows none.

    `where` the secret comes from. Raises MasterSecretError where the database was made under another one.
    """
    ours = _of(vault)
    known = _known(engine)
    if known is None and _opens(engine, vault):
        t = schema.deployment
        with database.writing(engine) as connection:
            connection.execute(update(t).where(t.c.master_print.is_(None)).values(master_print=ours))
        known = _known(engine)
    if known != ours:
        raise MasterSecretError(f"{where}: the database was made under another master secret: {_MEND}")


def _of(vault: Vault) -> str:
    return vault.derive(_LABEL, _LENGTH).hex()


def _known(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return connection.scalar(select(schema.deployment.c.master_print))


def _opens(engine: Engine, vault: Vault) -> bool:
    """Whether it opens a number that stands there; where none does, there is nothing to be wrong about."""
    t = schema.shopper
    with engine.connect() as connection:
        sealed = connection.scalar(
            select(t.c.number).where(t.c.number != b"").order_by(t.c.id.desc()).limit(1)
        )
    if sealed is None:
        return True
    try:
        vault.open("shopper", sealed, "proof of a secret")
    except SealBroken:
        return False
    return True
