"""A request as xAPI means it: method, parameters, headers, content; whichever way it was sent.

xAPI 1.0.3, part 3: sections 1.3 (alternate request syntax), 3.3 (versions), 4 (authentication).
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.activities.ingest.problems import MAX_BATCH_BYTES
from services.activities.keys.model import XAPI, Key
from services.activities.xapi.formats import is_version
from services.activities.xapi.problems import bad_parameter
from shared.bodies import read_body
from shared.problems import Problem

VERSION_HEADER = "X-Experience-API-Version"
NEWEST = "1.0.3"
VERSIONS = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
FORM = "application/x-www-form-urlencoded"
FORM_HEADERS = frozenset(
    {
        *("authorization", "x-experience-api-version", "content-type", "content-length"),
        *("if-match", "if-none-match"),
    }
)
METHODS = ("GET", "HEAD", "PUT", "POST")


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked for; header names in lower case, each parameter once."""

    method: str
    params: dict[str, str]
    headers: Mapping[str, str]
    content: bytes | None
    _request: Request

    async def body(self) -> bytes:
        """The content; raises Problem when it is too much or broken."""
        if self.content is not None:
            return self.content
        return await read_body(self._request, MAX_BATCH_BYTES, "A batch")


async def read_call(request: Request) -> Call:
    """The call of a request, its version checked; raises Problem 400."""
    params = _once(request.query_params.multi_items())
    headers: Mapping[str, str] = request.headers
    if request.method == "POST" and "method" in params:
        call = await _alternate(request, params)
    else:
        call = Call(request.method, params, headers, None, request)
    check_version(call.headers)
    return call


async def _alternate(request: Request, params: dict[str, str]) -> Call:
    method = params["method"]
    if method not in METHODS:
        raise bad_parameter("method", f"is one of: {', '.join(METHODS)}.")
    if len(params) > 1:
        raise bad_parameter("method", "stands alone; all others are form parameters.")
    raw = await read_body(request, MAX_BATCH_BYTES, "A form")
    try:
        form = parse_qsl(
            raw.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=100
        )
    except (UnicodeDecodeError, ValueError):
        raise Problem(
            "xapi-form-malformed",
            "The body is no form, or not in UTF-8.",
            status=400,
            hint=f"Part 3, section 1.3: with ?method= the body is {FORM}.",
        ) from None
    given = _once(form)
    content = given.pop("content", "")
    # The request's own Content-Type is that of the form; the content is JSON unless a field says so.
    headers = {**request.headers, "content-type": "application/json"}
    for name in list(given):
        if name.lower() in FORM_HEADERS:
            headers[name.lower()] = given.pop(name)
    return Call(method, given, headers, content.encode(), request)


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Problem(
            "xapi-parameter",
            "A parameter is there twice.",
            status=400,
            hint="Send each parameter once.",
        )
    return found


def check_version(headers: Mapping[str, str]) -> None:
    """Raise Problem 400 unless the request says a version 1.0.x (part 3, section 3.3)."""
    said = headers.get(VERSION_HEADER.lower())
    if said is None:
        raise Problem(
            "xapi-version-missing",
            f"The header {VERSION_HEADER} is missing.",
            status=400,
            hint=f"Send {VERSION_HEADER}: {NEWEST}.",
        )
    if not is_version(said.strip()):
        raise Problem(
            "xapi-version-unsupported",
            "This version of xAPI is not spoken here.",
            status=400,
            hint=f"Versions: 1.0 and 1.0.x, the newest {NEWEST}.",
        )


def authorization(header: str | None) -> str | None:
    """The header as hocvuso's own: the password of Basic authentication is the key.

    The user's name does not matter (its prefix or the partner's name, whatever a form wants).
    Raises Problem 401.
    """
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return header
    try:
        _, colon, password = base64.b64decode(text.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise Problem(
            "basic-malformed",
            "The Authorization header is no Basic authentication.",
            status=401,
            hint="The user is any name, the password the hocvuso key (hv_...).",
        )
    return f"Bearer {password.strip()}"


async def authenticated(request: Request, headers: Mapping[str, str]) -> Key:
    """The key of a call, which may use xAPI; raises Problem 401 or 403."""
    key: Key = await request.app.state.keys.authenticate(
        authorization(headers.get("authorization")), request.scope
    )
    key.require(XAPI)
    return key
