"""Alembic's entry: the same for every service."""

from shared.alembic_env import run

run()
