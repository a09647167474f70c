"""Alembic environment of the schema `registry`."""

from shared.alembic_env import run

run()
