"""How one service shows another who it is: by a key of its own, read from its file."""

from collections.abc import Generator
from pathlib import Path

import httpx

from shared.auth.scopes import READ_LOG, READ_METRICS

SERVICES: dict[str, tuple[str, ...]] = {
    "activities": (READ_METRICS,),
    "metrics": (READ_LOG,),
    "registry": (READ_LOG, READ_METRICS),
}
"""What each service may ask of the others."""


def service_key(folder: Path, service: str) -> Path:
    """The file of a service's key; each lies in a folder of its own, which can be mounted alone."""
    return folder / service / "service.key"


class ServiceCredential(httpx.Auth):
    """Shows the key of a file on each request that shows no other.

    The file is read again when it has changed, so that a rotated key needs no restart.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._key: str | None = None

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        key = None if "Authorization" in request.headers else self.key()
        if key is not None:
            request.headers["Authorization"] = f"Bearer {key}"
        yield request

    def key(self) -> str | None:
        """What the file holds now; None without a file."""
        if self._file is None:
            return None
        try:
            now = self._file.stat()
        except FileNotFoundError:
            return self._key
        if (now.st_mtime_ns, now.st_ino) != self._seen:
            self._key = self._file.read_text().strip() or None
            self._seen = (now.st_mtime_ns, now.st_ino)
        return self._key
