"""The body of every service's `migrations/env.py`: same rules, own schema, own history."""

from alembic import context
from sqlalchemy import create_engine, text


def run() -> None:
    """Run the migrations of the schema and database that `shared.db.migrate` named."""
    attributes = context.config.attributes
    schema, url = attributes["schema"], attributes["url"]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        # One migrator at a time, whoever starts it.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('hocvuso-migrate'))"))
        connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
        connection.execute(text(f"COMMENT ON SCHEMA \"{schema}\" IS 'hocvuso:{schema}'"))
        connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
        context.configure(connection=connection, version_table_schema=schema)
        context.run_migrations()
    engine.dispose()
