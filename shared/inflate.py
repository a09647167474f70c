"""Decompressing a body of any length piece by piece: flat memory, whatever was compressed."""

import zlib
from collections.abc import Iterator

from shared.problems import Problem

PIECE = 64 * 1024
FREE_BYTES = 16 * 1024 * 1024
LARGEST_RATIO = 200
"""Real events compress 10 to 50 times; beyond `FREE_BYTES` nobody needs more than this."""


class Inflater:
    """Feed compressed chunks (gzip, one member or several), get pieces of at most `PIECE`."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(wbits=31)
        self._taken = 0
        self._given = 0

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """What this chunk decompresses to. Raises Problem: no gzip, or blown up beyond reason."""
        self._taken += len(chunk)
        while chunk:
            if self._member.eof:
                self._member = zlib.decompressobj(wbits=31)
            try:
                piece = self._member.decompress(chunk, PIECE)
            except zlib.error:
                raise not_gzip() from None
            chunk = self._member.unused_data or self._member.unconsumed_tail
            self._given += len(piece)
            if self._given > FREE_BYTES and self._given > LARGEST_RATIO * self._taken:
                raise Problem(
                    "gzip-ratio-exceeded",
                    f"The body decompresses to more than {LARGEST_RATIO} times its size.",
                    status=413,
                    hint="Send it uncompressed, if it really is what you mean to send.",
                )
            if piece:
                yield piece

    @property
    def whole(self) -> bool:
        """Whether what was fed ends where a member ends (or is nothing at all)."""
        return self._member.eof or not self._taken


def not_gzip() -> Problem:
    """The body is broken, or was cut."""
    return Problem(
        "gzip-invalid",
        "The body is not a whole gzip stream.",
        status=400,
        hint="Compress the whole body with gzip, or send it uncompressed.",
    )
