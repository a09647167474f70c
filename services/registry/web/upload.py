"""Forms with a file (RFC 7578, multipart/form-data), read in bounded size.

What was uploaded travels back to the browser in the form that confirms it (`packed`): nothing is
kept here between looking and writing, so any instance can answer either.
"""

import base64
import binascii
from typing import TYPE_CHECKING

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from shared.bodies import read_body
from shared.problems import Problem

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

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
    """The parts of a body by their names. Raises Problem `form-malformed`."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise _no_form()
    found: dict[str, list[bytes]] = {}
    ended = False
    header, value, content = bytearray(), bytearray(), bytearray()
    name: bytes | None = None

    def begin() -> None:
        nonlocal name
        name = None
        content.clear()

    def end_header() -> None:
        nonlocal name
        if header.lower() == b"content-disposition":
            name = parse_options_header(bytes(value))[1].get(b"name")
        header.clear()
        value.clear()

    def keep() -> None:
        if name is None:
            raise _no_form()
        found.setdefault(name.decode("utf-8", "replace"), []).append(bytes(content))

    def end() -> None:
        nonlocal ended
        ended = True

    callbacks: MultipartCallbacks = {
        "on_part_begin": begin,
        "on_header_field": lambda data, start, stop: header.extend(data[start:stop]),
        "on_header_value": lambda data, start, stop: value.extend(data[start:stop]),
        "on_header_end": end_header,
        "on_part_data": lambda data, start, stop: content.extend(data[start:stop]),
        "on_part_end": keep,
        "on_end": end,
    }
    try:
        MultipartParser(options[b"boundary"], callbacks).write(body)
    except FormParserError:
        raise _no_form() from None
    if not ended:
        raise _no_form()
    return found


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
