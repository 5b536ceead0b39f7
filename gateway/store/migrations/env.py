"""Alembic's environment: the URL comes from `gateway.store.migrate`."""

from alembic import context

from gateway.store import sql
from gateway.store.schema import metadata

engine = sql.engine(context.config.attributes["url"], sql.PATIENT)
with sql.writing(engine) as connection:
    sql.take_turn(connection, "migrate")  # of several at once one does it, the others find it done
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=False,
        render_as_batch=engine.dialect.name == "sqlite",
    )
    context.run_migrations()
engine.dispose()
