"""Reading request bodies: bounded, decompressed within bounds, in bounded time."""

import asyncio
import zlib

from starlette.requests import ClientDisconnect, Request

from services.activities.ingest.inflate import not_gzip
from services.activities.ingest.problems import too_large
from shared.problems import Problem

SECONDS_TO_SEND = 60


async def read_body(request: Request, limit: int, what: str) -> bytes:
    """The whole body, decompressed. Raises Problem 413, 415, 408 or 400."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise Problem(
            "content-encoding-unsupported",
            "The Content-Encoding is not one that is taken.",
            status=415,
            hint="Send gzip, or no Content-Encoding.",
        )
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit, what)
    inflate = zlib.decompressobj(wbits=31) if "gzip" in encoding else None
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(SECONDS_TO_SEND):
            async for chunk in request.stream():
                if inflate is not None:
                    # One byte more than may be: then it is known to be too much.
                    chunk = inflate.decompress(chunk, limit + 1 - size)
                size += len(chunk)
                if size > limit:
                    raise too_large(limit, what)
                chunks.append(chunk)
    except TimeoutError:
        raise Problem(
            "body-too-slow",
            f"The body did not arrive within {SECONDS_TO_SEND} seconds.",
            status=408,
            hint="Send smaller batches.",
            retryable=True,
        ) from None
    except zlib.error:
        raise not_gzip() from None
    except ClientDisconnect:
        raise Problem(
            "body-incomplete", "The body ended before its length.", status=400, retryable=True
        ) from None
    if inflate is not None and not inflate.eof:
        raise not_gzip()
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
