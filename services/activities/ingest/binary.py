"""CloudEvents in binary mode: attributes as headers, the data as the body.

Over HTTP here; over Kafka in `intake/messages.py`. Both become the structured form.
"""

from collections.abc import Iterable
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.datastructures import Headers

from shared import strict_json
from shared.problems import Problem


def to_structured(headers: Headers, body: bytes) -> bytes:
    """An HTTP request as one JSON object, so that both modes take the same way. Raises Problem."""
    return joined(
        (
            # Section 3.1.3.2: UTF-8, percent-encoded. Headers come decoded as Latin-1.
            (name[3:], unquote_to_bytes(value.encode("latin-1")))
            for name, value in headers.items()
            if name.startswith("ce-")
        ),
        body,
        "percent-encoded UTF-8",
    )


def joined(attributes: Iterable[tuple[str, bytes]], body: bytes, encoding: str) -> bytes:
    """Attributes (name, UTF-8) and data as one JSON object. Raises Problem.

    `encoding`: how values must be written, for the answer to one that is not.
    """
    found: dict[str, str] = {}
    for attribute, value in attributes:
        if attribute in found or attribute == "data":
            raise Problem(
                "attribute-repeated",
                "A ce header is there twice, or named data.",
                status=400,
                pointer=f"/{attribute}",
                hint="Send each attribute once; the data is the body.",
            )
        try:
            found[attribute] = value.decode()
        except UnicodeDecodeError:
            raise Problem(
                "attribute-malformed",
                f"A ce header is not {encoding}.",
                status=400,
                pointer=f"/{attribute}",
                hint=f"Write the characters of attributes as {encoding}.",
            ) from None
    head = msgspec.json.encode(found)
    if not body.strip():
        return head
    strict_json.read(body)  # alone, so that nothing of it can reach into the envelope
    return head[:-1] + (b"," if found else b"") + b'"data":' + body + b"}"
