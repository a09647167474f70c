"""Bring every service's schema to the newest revision, then make the keys of the administrator
and of the services.

The one composition of all three services' migrations; the local stack and the images both run it.
"""

import asyncio
import os
from pathlib import Path

import asyncpg

import services.activities
import services.metrics
import services.registry
from services.activities.keys.store import ensure_admin_key, ensure_service_keys
from shared.db import is_newest, migrate, refuse_foreign

# metrics before registry: registry is granted what metrics publishes.
_PACKAGES = {
    "activities": services.activities,
    "metrics": services.metrics,
    "registry": services.registry,
}


def database_url(service: str) -> str:
    """The database that the environment names for a service."""
    return _required(f"HOCVUSO_{service.upper()}_DATABASE_URL", f"the PostgreSQL of {service}")


def _required(variable: str, what: str) -> str:
    value = os.environ.get(variable)
    if not value:
        raise SystemExit(f"{variable} is not set: name {what}")
    return value


async def _finish(url: str, key_file: Path, service_keys: Path, sandbox: bool) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    try:
        await connection.execute("UPDATE counter SET sandbox = sandbox OR $1 WHERE one", sandbox)
        await ensure_admin_key(connection, key_file)
        await ensure_service_keys(connection, service_keys)
    finally:
        await connection.close()


def run() -> None:
    """Migrate all services; refuses foreign databases before it changes anything."""
    urls = {service: database_url(service) for service in _PACKAGES}
    for service, url in urls.items():
        asyncio.run(refuse_foreign(url, service))
    for service, package in _PACKAGES.items():
        migrations = Path(package.__path__[0]) / "migrations"
        if not asyncio.run(is_newest(urls[service], service, migrations)):
            migrate(urls[service], service, migrations)
    key_file = Path(_required("HOCVUSO_ADMIN_KEY_FILE", "the file for the administrator's key"))
    service_keys = Path(
        _required("HOCVUSO_SERVICE_KEY_FOLDER", "the folder for the services' keys")
    )
    sandbox = os.environ.get("HOCVUSO_SANDBOX", "0") in ("1", "true")
    asyncio.run(_finish(urls["activities"], key_file, service_keys, sandbox))
