"""Which service answers at an address: events go to activities, and to no other."""

import json

from hocvuso_client.errors import BadAnswer, HocvusoError, ProblemError, WrongService

TITLE = "hocvuso activities"
OPENAPI = "/openapi.json"
_UNROUTED = frozenset({"not-found", "method-not-allowed", "http-404", "http-405", "http-501"})


def suspicious(error: HocvusoError) -> bool:
    """Whether an answer looks as if another service (or none of hocvuso) had given it."""
    if isinstance(error, ProblemError):
        return error.code in _UNROUTED or 300 <= error.status < 400
    return isinstance(error, BadAnswer)


def wrong(url: object, status: int, content: bytes, error: HocvusoError) -> HocvusoError:
    """The error to tell instead of `error`, by what the address says of itself at OPENAPI."""
    try:
        title = json.loads(content)["info"]["title"] if status == 200 else None
    except (ValueError, KeyError, TypeError):
        title = None
    if title == TITLE:
        return error
    if isinstance(title, str) and title.startswith("hocvuso "):
        name = title.removeprefix("hocvuso ")
        return WrongService(
            f"{url} is {name}, which takes no events. Give the address of activities"
            " (one port higher than registry in a pilot: http://127.0.0.1:8001)."
        )
    return WrongService(
        f"{url} is not the activities service of hocvuso ({error}). Check the address: behind a"
        " proxy it may have a path, like https://hocvuso.example/activities."
    )
