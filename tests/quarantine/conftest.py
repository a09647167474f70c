"""The real service of tests/activities, under this folder's tests."""

from tests.activities.conftest import admin, clock, database, port, service, settings

__all__ = ["admin", "clock", "database", "port", "service", "settings"]
