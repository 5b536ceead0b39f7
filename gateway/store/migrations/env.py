"""Alembic's environment: the URL comes from `gateway.store.sql.migrate`."""

from alembic import context

from gateway.store.sql import database
from gateway.store.sql.schema import metadata

engine = database.engine(context.config.attributes["url"], database.PATIENT)
with database.writing(engine) as connection:
    database.take_turn(connection, "migrate")  # of several at once one does it, the others find it done
    context.configure(
        connection=connection,
        target_metadata=metadata,
        transactional_ddl=False,
        render_as_batch=engine.dialect.name == "sqlite",
    )
    context.run_migrations()
engine.dispose()
