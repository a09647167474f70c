"""The environment handed to every service, and which embedded parts it makes unnecessary."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from deploy.local.errors import StackError
from deploy.local.home import Home
from deploy.local.services import Addresses

SERVICES = ("activities", "metrics", "registry")
ROLES = tuple(f"hocvuso_{service}" for service in SERVICES)
_DATABASES = {service: f"HOCVUSO_{service.upper()}_DATABASE_URL" for service in SERVICES}
QUIET = ("relay", "worker", "intake")
"""Processes without an address of their own: they serve their metrics on a port."""
_PARTITIONS = "HOCVUSO_KAFKA_PARTITIONS"
_PSEUDONYM_KEY = "HOCVUSO_PSEUDONYM_KEY_FILE"
_OWN_BROKER = (
    "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS", "HOCVUSO_KAFKA_SECURITY_PROTOCOL",
    "HOCVUSO_KAFKA_SASL_MECHANISM", "HOCVUSO_KAFKA_USERNAME", "HOCVUSO_KAFKA_PASSWORD_FILE",
    "HOCVUSO_KAFKA_CA_FILE",
)  # fmt: skip


def own_databases(outer: Mapping[str, str]) -> dict[str, str] | None:
    """Return the databases the operator has named, or None when there is none."""
    named = {variable: outer[variable] for variable in _DATABASES.values() if outer.get(variable)}
    missing = [variable for variable in _DATABASES.values() if variable not in named]
    if named and missing:
        raise StackError(
            "some services have a database of their own and others have none",
            where=f"the environment: {', '.join(missing)} not set",
            fix="set all three HOCVUSO_*_DATABASE_URL, or none to use the embedded PostgreSQL",
        )
    return named or None


def own_broker(outer: Mapping[str, str]) -> str | None:
    """Return the broker the operator has named."""
    return (
        outer.get("HOCVUSO_KAFKA_BOOTSTRAP_SERVERS") or outer.get("KAFKA_BOOTSTRAP_SERVERS") or None
    )


def own_pseudonym_key(outer: Mapping[str, str]) -> str | None:
    """Return the key file the operator has named."""
    return outer.get(_PSEUDONYM_KEY) or None


@contextlib.contextmanager
def nothing_of_its_own() -> Iterator[None]:
    """Inside, the environment names no database, broker or key: a stack is the embedded one, whatever
    this process was given (in the images: the addresses of the system in service)."""
    names = (*_DATABASES.values(), *_OWN_BROKER, _PSEUDONYM_KEY)
    before = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(before)


def for_services(
    outer: Mapping[str, str],
    *,
    home: Home,
    addresses: Addresses,
    databases: Mapping[str, str],
    broker: str,
    sandbox: bool,
    metrics_ports: Mapping[str, int],
    long_poll: bool = True,
) -> dict[str, str]:
    """Return what the stack adds to the outer environment."""
    added = {
        "HOCVUSO_HOME": str(home.path),
        "HOCVUSO_KAFKA_BOOTSTRAP_SERVERS": broker,
        "KAFKA_BOOTSTRAP_SERVERS": broker,
        "HOCVUSO_KAFKA_LONG_POLL": "1" if long_poll else "0",
        # The embedded broker looks into every partition at every look; one machine needs one.
        **({} if long_poll or outer.get(_PARTITIONS) else {_PARTITIONS: "1"}),
        _PSEUDONYM_KEY: own_pseudonym_key(outer) or str(home.pseudonym_key),
        "HOCVUSO_ADMIN_KEY_FILE": str(home.admin_key),
        "HOCVUSO_SERVICE_KEY_FOLDER": str(home.service_keys),
        "HOCVUSO_SANDBOX": "1" if sandbox else "0",
        "HOCVUSO_REGISTRY_OPEN": outer.get("HOCVUSO_REGISTRY_OPEN", "0"),
        "PYTHONUNBUFFERED": "1",
        # Each arena of the C library keeps what its threads once needed; two are enough for ours.
        "MALLOC_ARENA_MAX": outer.get("MALLOC_ARENA_MAX", "2"),
        **databases,
        **{f"HOCVUSO_{name.upper()}_METRICS_PORT": str(p) for name, p in metrics_ports.items()},
    }
    for service, url in addresses.urls.items():
        added[f"HOCVUSO_{service.upper()}_URL"] = url
    return added


def database_variables(url_of_role: Mapping[str, str]) -> dict[str, str]:
    """Name each service's database as the service expects it."""
    return {_DATABASES[service]: url_of_role[f"hocvuso_{service}"] for service in SERVICES}
