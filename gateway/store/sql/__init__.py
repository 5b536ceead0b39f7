"""How SQL is reached: the engine, the schema, migrations, what its errors are the fault of."""
