"""Pages, styles and scripts travel compressed; answers for programs stay as they were."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SMALLEST = 1_000


class Compression:
    """gzip for what browsers read. Pure ASGI.

    Only GET: an answer to a form may show a new key, and a secret must not stand beside what
    somebody else chose in one compressed text. The ETag of a compressed answer is a weak one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressed = GZipMiddleware(app, minimum_size=SMALLEST, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not _for_browsers(scope):
            await self._app(scope, receive, send)
            return

        async def weakened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                tag = headers.get("etag", "")
                if headers.get("content-encoding") == "gzip" and tag.startswith('"'):
                    headers["etag"] = f"W/{tag}"
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._compressed(scope, receive, weakened)


def _for_browsers(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith("/static/"):
        return not path.endswith(".woff2")
    return not path.startswith("/v1/") and "text/html" in Headers(scope=scope).get("accept", "")
