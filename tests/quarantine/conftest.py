"""The real service of tests/activities, under this folder's tests."""

from tests.activities.conftest import admin, clock, database, intake, port, service, settings

__all__ = ["admin", "clock", "database", "intake", "port", "service", "settings"]
