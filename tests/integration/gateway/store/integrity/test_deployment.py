"""One deployment: its id is made once, its secret is held against SQL, its Redis and SQL belong together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from campaigns.lifecycle.runner import AWAY
from campaigns.meters import BlastMeters
from config.settings import Settings
from gateway.entry.doctor import checks_stores
from gateway.entry.doctor.findings import Level
from gateway.entry.processes import blasts as blast_process
from gateway.entry.processes.worker import Settling
from gateway.entry.wiring import backing
from gateway.entry.wiring.backing import CatalogKeeper
from gateway.entry.wiring.belonging import Belonging
from gateway.store.integrity import redis_state
from gateway.store.redis import keys
from gateway.store.sql import database, schema
from gateway.store.vault import master_secret
from gateway.store.vault.master_secret import MasterSecretError
from gateway.usecases.settlement.meters import SettlingMeters
from tests.integration.house import ANNA, MASTER, House

OURS, OTHER = MASTER.hex(), bytes(range(1, 33)).hex()


def settings(house: House, secret: str | None = OURS, state: Path | None = None) -> Settings:
    """Those of a machine of the deployment."""
    return Settings.model_validate(
        {
            "state_dir": state or house.state,
            "master_secret": secret,
            "redis": {"url": house.server_url},
            "sql": {"url": house.sql_url},
        }
    )


def opens(house: House, secret: str | None = OURS, state: Path | None = None) -> None:
    """As a process does at its start."""
    opened = backing.open_backing(settings(house, secret, state))
    opened.engine.dispose()
    opened.redis.close()


def forget(house: House) -> None:
    """As in a deployment that is new, or of before."""
    with database.writing(house.engine) as connection:
        connection.execute(update(schema.deployment).values(master_print=None))


async def test_machines_that_begin_at_once_begin_one_deployment(house: House) -> None:
    with database.writing(house.engine) as connection:
        connection.execute(delete(schema.deployment))
    engines = [database.engine(house.sql_url) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        ids = list(pool.map(redis_state.deployment_id, engines))
    for engine in engines:
        engine.dispose()
    assert len(set(ids)) == 1
    assert [id_ for (id_,) in house.rows("deployment", "id")] == ids[:1]


async def test_another_secret_does_not_start(house: House) -> None:
    opens(house)
    opens(house)
    with pytest.raises(MasterSecretError, match="made under another master secret: copy it"):
        opens(house, OTHER)
    assert checks_stores.secret(settings(house)).level is Level.OK
    found = checks_stores.secret(settings(house, OTHER))
    assert (found.level, found.told) == (Level.FAIL, "the database was made under another master secret")


async def test_a_second_machine_makes_no_secret(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    opens(house)
    with pytest.raises(MasterSecretError, match="not here, but the database was made under one: copy it"):
        opens(house, None, elsewhere)
    assert not (elsewhere / master_secret.FILE_NAME).exists()
    assert checks_stores.secret(settings(house, None, elsewhere)).level is Level.FAIL


async def test_the_first_machine_makes_it(house: House, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    forget(house)
    opens(house, None, elsewhere)
    opens(house, None, elsewhere)
    with pytest.raises(MasterSecretError):
        opens(house)


async def test_in_a_deployment_of_before_the_secret_that_opens_its_numbers_is_noted(house: House) -> None:
    house.firm()
    house.campaign()
    await house.text("balance", ANNA)
    house.drain()
    forget(house)
    with pytest.raises(MasterSecretError, match="another master secret"):
        opens(house, OTHER)
    assert house.rows("deployment", "master_print") == [(None,)]
    opens(house)
    ((noted,),) = house.rows("deployment", "master_print")
    assert OURS not in noted
    assert len(noted) == 32


async def test_a_worker_settles_nothing_into_the_database_of_another_deployment(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.firm()
    code = house.codes(house.campaign())[0]
    opened = backing.open_backing(settings(house))
    settling = Settling(opened, CatalogKeeper(opened), SettlingMeters(opened.vault))
    await house.text(code)
    house.redis.set(keys.DEPLOYMENT, "somebody else's")
    assert settling.settle() == 0
    assert house.rows("activation", "id") == []
    assert house.redis.xlen(keys.outbox(1)) == 1
    assert "Redis is of another deployment than the database" in capsys.readouterr().out

    house.redis.set(keys.DEPLOYMENT, house.deployment)
    assert settling.settle() == 1
    assert len(house.rows("activation", "id")) == 1
    opened.engine.dispose()
    opened.redis.close()


class Blasts:
    """Counts what a blasts process would do."""

    done = 0

    def job(self, _blast: int) -> str:
        self.done += 1
        return "worked"

    def sweep(self) -> None:
        self.done += 1


async def test_no_blast_goes_on_in_the_redis_of_another_deployment(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.firm()
    opened = backing.open_backing(settings(house))
    keeper, meters, blasts = CatalogKeeper(opened), BlastMeters(), Blasts()
    belongs = Belonging(opened, "no blast goes on")
    house.redis.set(keys.DEPLOYMENT, "somebody else's")
    assert blast_process._job(blasts, belongs, 7) == AWAY  # type: ignore[arg-type]
    blast_process._sweep(blasts, belongs, keeper, meters)  # type: ignore[arg-type]
    assert blasts.done == 0
    assert "no blast goes on" in capsys.readouterr().out

    house.redis.set(keys.DEPLOYMENT, house.deployment)
    assert blast_process._job(blasts, belongs, 7) == "worked"  # type: ignore[arg-type]
    blast_process._sweep(blasts, belongs, keeper, meters)  # type: ignore[arg-type]
    assert blasts.done == 2
    opened.engine.dispose()
    opened.redis.close()
