"""What Alembic runs for each command. The connection comes from `migrate.py`; there is no other way in."""

from alembic import context

from meetings.infrastructure.database.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
