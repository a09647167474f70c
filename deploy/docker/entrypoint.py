"""Turns secrets in files into the settings of a service, then becomes that service.

Passwords lie in files (`/run/secrets/NAME`), never in the environment of a container, where
`docker inspect` would show them. The services read database addresses, so the address is put
together here, inside the container, and handed only to the process that replaces this one.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

SECRETS = Path("/run/secrets")
SERVICES = ("activities", "metrics", "registry")
DATABASE = "postgres:5432/hocvuso"
"""host:port/database; another one is named in HOCVUSO_DATABASE."""


AUTHORITY = "internal_authority"
"""The secret that says whose certificates PostgreSQL and Kafka show."""


def settings(environ: Mapping[str, str], secrets: Path = SECRETS) -> dict[str, str]:
    """What the secrets in `secrets` add to `environ`; what is set there already stays."""
    added: dict[str, str] = {}
    database = environ.get("HOCVUSO_DATABASE") or DATABASE
    authority = secrets / AUTHORITY
    checked = ""
    if authority.exists() and "?" not in database:
        checked = f"?sslmode=verify-full&sslrootcert={quote(str(authority), safe='/')}"
    for service in SERVICES:
        password = secrets / f"{service}_database_password"
        if password.exists():
            secret = quote(password.read_text().strip(), safe="")
            added[f"HOCVUSO_{service.upper()}_DATABASE_URL"] = (
                f"postgresql://hocvuso_{service}:{secret}@{database}{checked}"
            )
    superuser = secrets / "postgres_password"
    if superuser.exists():
        secret = quote(superuser.read_text().strip(), safe="")
        # Without `checked`: pg_dump and pg_restore of the image are built without TLS.
        added["HOCVUSO_SUPERUSER_DATABASE_URL"] = f"postgresql://postgres:{secret}@{database}"
    key = secrets / "pseudonym_key"
    if key.exists():
        added["HOCVUSO_PSEUDONYM_KEY_FILE"] = str(key)
    return {name: value for name, value in added.items() if not environ.get(name)}


def main(command: list[str]) -> None:
    """Replace this process by `command`."""
    if not command:
        raise SystemExit("entrypoint: no command given")
    os.execvpe(command[0], command, {**os.environ, **settings(os.environ)})  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
