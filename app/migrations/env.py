"""Run by Alembic: applies the versions on the connection, and in the transaction, that `migrate` was given."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
