"""The service on a real database, for canaries."""

from tests.activities.conftest import admin, clock, database, service, settings

__all__ = ["admin", "clock", "database", "service", "settings"]
