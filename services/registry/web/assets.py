"""Styles, scripts and fonts. A browser keeps what it has for as long as nobody changes it."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
WORKER = "sw.js"
"""It stands before the pages of entering, which lie above it."""
FOR_EVER = "public, max-age=31536000, immutable"


@cache
def asset(name: str) -> str:
    """The address of a file; another content has another address."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


class Assets(StaticFiles):
    """Static files; what is asked for by its content, and fonts, never changes."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        query: Any = scope.get("query_string", b"")
        if answer.status_code == 200 and (query.startswith(b"v=") or path.endswith(".woff2")):
            answer.headers["Cache-Control"] = FOR_EVER
        if path == WORKER:
            answer.headers["Service-Worker-Allowed"] = "/"
            answer.headers["Cache-Control"] = "no-cache"
        return answer
