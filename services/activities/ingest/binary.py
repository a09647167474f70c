"""CloudEvents HTTP binding, binary mode: attributes as `ce-*` headers, the data as the body."""

from urllib.parse import unquote_to_bytes

import msgspec
from starlette.datastructures import Headers

from services.activities.ingest import parse
from shared.problems import Problem


def to_structured(headers: Headers, body: bytes) -> bytes:
    """The same event as one JSON object, so that both modes take the same way. Raises Problem."""
    attributes: dict[str, str] = {}
    for name, value in headers.items():
        if not name.startswith("ce-"):
            continue
        attribute = name[3:]
        if attribute in attributes or attribute == "data":
            raise Problem(
                "attribute-repeated",
                "A ce- header is there twice, or named data.",
                status=400,
                pointer=f"/{attribute}",
                hint="Send each attribute once; the data is the body.",
            )
        try:
            # Section 3.1.3.2: UTF-8, percent-encoded. Headers come decoded as Latin-1.
            attributes[attribute] = unquote_to_bytes(value.encode("latin-1")).decode()
        except UnicodeDecodeError:
            raise Problem(
                "attribute-malformed",
                "A ce- header is not percent-encoded UTF-8.",
                status=400,
                pointer=f"/{attribute}",
                hint="Encode characters beyond ASCII as %XX of their UTF-8 bytes.",
            ) from None
    head = msgspec.json.encode(attributes)
    if not body.strip():
        return head
    parse.read(body)  # alone, so that nothing of it can reach into the envelope
    return head[:-1] + b',"data":' + body + b"}"
