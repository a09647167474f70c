"""Rows of PostgreSQL's binary COPY format, by the manual: nothing shared with the product."""


def read(packed: bytes) -> list[list[bytes | None]]:
    """The columns of each row as they came."""
    rows, at = [], 0
    while at < len(packed):
        count, at = int.from_bytes(packed[at : at + 2], "big"), at + 2
        row: list[bytes | None] = []
        for _ in range(count):
            length, at = int.from_bytes(packed[at : at + 4], "big", signed=True), at + 4
            row.append(None if length < 0 else packed[at : at + length])
            at += max(length, 0)
        rows.append(row)
    return rows
