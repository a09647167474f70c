"""Knowing that units and plans were loaded already: most starts have nothing to load.

Loading again would change nothing, but posting the whole country to hear that takes longer than all else
of a start. So a digest of the files, and of the code that makes events of them, is kept with the log's epoch.
"""

from __future__ import annotations

import hashlib
import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.services import REPOSITORY
from deploy.local.state_files import read_object, write_whole

_SOURCES = ("units", "plans", "services/registry/units", "services/registry/plans", "shared/contracts",
            "shared/domain")  # fmt: skip
_SUFFIXES = frozenset({".csv", ".yaml", ".json", ".py"})


def digest(root: Path = REPOSITORY) -> str:
    """Of every file whose change may change what is loaded."""
    found = hashlib.sha256()
    for folder in _SOURCES:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in _SUFFIXES and file.is_file():
                content = file.read_bytes()
                found.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def loaded_before(record: Path, epoch: str | None, now: str) -> bool:
    """Whether exactly this was loaded into exactly this log."""
    try:
        return epoch is not None and read_object(record) == {"digest": now, "epoch": epoch}
    except (OSError, ValueError):
        return False


def remember(record: Path, epoch: str | None, now: str) -> None:
    """After all of it is in the log. A record that cannot be written costs the next start its time."""
    try:
        if epoch is not None:
            write_whole(record, json.dumps({"digest": now, "epoch": epoch}) + "\n")
    except OSError:
        return


def epoch_of(activities_url: str, key: str | None) -> str | None:
    """The identity of the log; None when activities does not say it."""
    address = urlsplit(activities_url)
    if address.scheme != "http" or address.hostname is None:
        return None
    connection = HTTPConnection(address.hostname, address.port, timeout=10)
    try:
        connection.request("GET", "/v1/instance", headers={"Authorization": f"Bearer {key}"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        return str(body["epoch"]) if answer.status == 200 else None
    except (OSError, HTTPException, ValueError, KeyError, TypeError):
        return None
    finally:
        connection.close()
