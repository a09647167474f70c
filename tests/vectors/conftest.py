"""The whole service on a database of its own, as tests/activities has it."""

from tests.activities.conftest import admin, clock, database, port, service, settings

__all__ = ["admin", "clock", "database", "port", "service", "settings"]
