"""The rows of the definition lane that metrics keeps."""

from dataclasses import dataclass

from shared.contracts.definitions import Catalogue
from shared.contracts.record import LogRecord, record_decoder
from shared.db import Connection
from shared.domain.definitions import Definitions
from shared.domain.growing import GROWING_TYPES


async def grown_catalogue(connection: Connection, shipped: Catalogue) -> Catalogue:
    """The catalogue with what the instance has added: read with the measures that name it, in what
    the connection sees."""
    known = Definitions(shipped)
    for row in await connection.fetch(
        "SELECT record FROM definition WHERE type = ANY($1::text[]) ORDER BY position",
        sorted(GROWING_TYPES),
    ):
        known.apply(record_decoder.decode(row["record"]))
    return known.catalogue


@dataclass(frozen=True)
class StoredRows:
    """`shared.domain.history.Rows` in what a connection sees."""

    connection: Connection

    async def newest(self) -> tuple[str | None, int]:
        """The epoch of the log, and the position of the last definition."""
        row = await self.connection.fetchrow(
            "SELECT log_epoch, (SELECT max(position) FROM definition) AS last FROM projection WHERE one"
        )
        assert row is not None  # noqa: S101 - the migration made the row
        return row["log_epoch"], row["last"] or 0

    async def read(self, after: int, through: int | None, limit: int) -> list[LogRecord]:
        """Rows behind a position, in their order."""
        rows = await self.connection.fetch(
            "SELECT record FROM definition"
            " WHERE position > $1 AND ($2::bigint IS NULL OR position <= $2)"
            " ORDER BY position LIMIT $3",
            after,
            through,
            limit,
        )
        return [record_decoder.decode(row["record"]) for row in rows]
