"""Forms with a file (RFC 7578, multipart/form-data), read in bounded size.

What was uploaded travels back to the browser in the form that confirms it (`packed`): nothing is
kept here between looking and writing, so any instance can answer either.
"""

import base64
import binascii
from email.message import Message
from email.parser import HeaderParser

from fastapi import Request

from shared.bodies import read_body
from shared.problems import Problem

ROOM = 64 * 1024
"""For the other fields of a form."""


async def read_upload(request: Request, largest: int) -> dict[str, list[bytes]]:
    """Fields of a form by name; a file may have `largest` bytes, packed as `pack` does or not."""
    raw = await read_body(request, largest * 4 // 3 + ROOM, "A form", required=True)
    found = fields(request.headers.get("Content-Type", ""), raw)
    if any(len(value) > largest * 4 // 3 + 4 for values in found.values() for value in values):
        raise Problem(
            "body-too-large", f"More than {largest} bytes.", status=413, hint="Split the file."
        )
    return found


def fields(content_type: str, body: bytes) -> dict[str, list[bytes]]:
    """The parts of a body by their names."""
    said = Message()
    said["Content-Type"] = content_type
    boundary = said.get_param("boundary")
    if said.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise _no_form()
    found: dict[str, list[bytes]] = {}
    parts = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    for part in parts[1:]:
        if part.startswith(b"--"):
            return found
        head, blank, content = part.partition(b"\r\n\r\n")
        headers = HeaderParser().parsestr(head.decode("utf-8", "replace").strip())
        name = headers.get_param("name", header="Content-Disposition")
        if not blank or not isinstance(name, str):
            raise _no_form()
        found.setdefault(name, []).append(content)
    raise _no_form()


def text(form: dict[str, list[bytes]], name: str) -> str:
    """A field as text; "" when it is not there."""
    return form.get(name, [b""])[0].decode("utf-8", "replace").strip()


def file(form: dict[str, list[bytes]], name: str) -> bytes:
    """The uploaded file, or the packed one of a form that confirms."""
    packed = form.get(f"{name}-packed", [b""])[0]
    try:
        body = form.get(name, [b""])[0] or base64.b64decode(packed, validate=True)
    except binascii.Error:
        raise _no_form() from None
    if not body:
        raise Problem(
            "body-empty", "No file was chosen.", status=422, pointer="/file", hint="Choose it."
        )
    return body


def pack(body: bytes) -> str:
    """A file as the value of a hidden field."""
    return base64.b64encode(body).decode()


def _no_form() -> Problem:
    return Problem(
        "form-malformed",
        "The body is no multipart form.",
        hint="Send multipart/form-data, as the form of the page does.",
    )
