"""Bring every service's schema to the newest revision, then make the administrator's key.

The one composition of all three services' migrations; the local stack and the images both run it.
"""

import asyncio
import os
from pathlib import Path

import asyncpg

import services.activities
import services.metrics
import services.registry
from services.activities.keys.store import ensure_admin_key, ensure_service_key
from shared.db import migrate, refuse_foreign

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


async def _finish(url: str, key_file: Path, service_key_file: Path, sandbox: bool) -> None:
    connection = await asyncpg.connect(url, server_settings={"search_path": "activities"})
    try:
        await connection.execute("UPDATE counter SET sandbox = sandbox OR $1 WHERE one", sandbox)
        await ensure_admin_key(connection, key_file)
        await ensure_service_key(connection, service_key_file)
    finally:
        await connection.close()


def run() -> None:
    """Migrate all services; refuses foreign databases before it changes anything."""
    urls = {service: database_url(service) for service in _PACKAGES}
    for service, url in urls.items():
        asyncio.run(refuse_foreign(url, service))
    for service, package in _PACKAGES.items():
        migrate(urls[service], service, Path(package.__path__[0]) / "migrations")
    key_file, service_key_file = (
        Path(_required(f"HOCVUSO_{name}_KEY_FILE", f"the file for the {name.lower()} key"))
        for name in ("ADMIN", "SERVICE")
    )
    sandbox = os.environ.get("HOCVUSO_SANDBOX", "0") in ("1", "true")
    asyncio.run(_finish(urls["activities"], key_file, service_key_file, sandbox))
