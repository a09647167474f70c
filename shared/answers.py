"""Bodies of answers of other services."""

import httpx


def content(answer: httpx.Response) -> bytes:
    """The whole body, which must have been read.

    The answer forgets what it was read from. That refers back to it, so the two, with their
    megabytes, would otherwise wait until somebody looks for cycles of garbage.
    """
    body = answer.content
    answer.stream = httpx.ByteStream(b"")
    return body
