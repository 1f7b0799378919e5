"""How alembic runs here: over the connection, and inside the transaction, that `tre.store.schema` hands in."""

from alembic import context

from tre.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transaction_per_migration=False,
)
context.run_migrations()
