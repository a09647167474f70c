"""Alembic environment of the schema `activities`."""

from shared.alembic_env import run

run()
