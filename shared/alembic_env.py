"""The body of every service's `migrations/env.py`: same rules, own schema, own history.

The version before goes on serving meanwhile. So no step may keep others waiting for a lock: whoever
wants one that is held, and with it everybody who comes after, waits `LOCK_SECONDS` at most; then the
step gives way, undone, and is tried again. Each step is a transaction of its own, so what it locks
is free again when it ends, and a step that fails leaves the database as the step before left it.
"""

import logging
import random
import time
from typing import Any

from alembic import context
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from shared.db import PATIENCE_SECONDS

log = logging.getLogger(__name__)

LOCK_SECONDS = 2.0
CONNECT_SECONDS = 10
LOCK_NOT_AVAILABLE = "55P03"


def run() -> None:
    """Run the migrations of the schema and database that `shared.db.migrate` named."""
    attributes = context.config.attributes
    engine = create_engine(
        attributes["url"].replace("postgresql://", "postgresql+psycopg://", 1),
        connect_args={"connect_timeout": CONNECT_SECONDS},
        poolclass=NullPool,
    )
    patience = attributes.get("patience", PATIENCE_SECONDS)
    until = time.monotonic() + patience
    while True:
        try:
            _steps(engine, attributes["schema"])
            break
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            if time.monotonic() > until:
                raise RuntimeError(
                    f"a step of {attributes['schema']} could not get its lock within"
                    f" {patience:.0f} s, because somebody holds a transaction open. Nothing of that"
                    " step was done. Fix: see who does (SELECT pid, application_name, query FROM"
                    " pg_stat_activity WHERE state <> 'idle' ORDER BY xact_start), then run"
                    " `hocvuso migrate` again."
                ) from error
            log.warning("a table is in use for long; the step gives way and is tried again")
            time.sleep(random.uniform(0.5, 1))  # noqa: S311 - jitter, not a secret


def _steps(engine: Engine, schema: str) -> None:
    with engine.connect() as connection:
        # One migrator at a time, whoever starts it. Freed when the connection closes.
        _execute(connection, "SELECT pg_advisory_lock(hashtext('hocvuso-migrate'))")
        _execute(connection, f"SET lock_timeout = {int(LOCK_SECONDS * 1000)}")
        _execute(connection, f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        _execute(connection, f"COMMENT ON SCHEMA \"{schema}\" IS 'hocvuso:{schema}'")
        _execute(connection, f'SET search_path TO "{schema}"')
        connection.commit()
        context.configure(
            connection=connection, version_table_schema=schema, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


def _execute(connection: Any, statement: str) -> None:
    connection.execute(text(statement))
