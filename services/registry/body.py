"""Reading what is uploaded, in bounded size."""

from fastapi import Request

from shared.problems import Problem


async def read_body(request: Request, largest: int) -> bytes:
    """The whole body; a problem as soon as it is larger than `largest` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Problem(
                "body-too-large",
                f"More than {largest} bytes.",
                status=413,
                hint="Split the file.",
            )
        parts.append(part)
    if not size:
        raise Problem("body-empty", "Nothing was uploaded.", status=400, hint="Send the file.")
    return b"".join(parts)
