"""Forgetting all that a projection has made, so that it is made again from the log's start.

For a log that is another one than was counted: restored from a backup, or replaced. Nothing is lost:
a projection's schema holds nothing but what the log says, and files, which the log names by their
hashes and which are kept.
"""

from shared.db import Connection

_KEPT = ("progress", "projection", "worker", "alembic_version", "report_file", "report_template")


async def start_over(connection: Connection, keep: tuple[str, ...] = ()) -> None:
    """Empty every table of the current schema but those in `keep` and set all lanes to the log's start.

    Whoever holds lanes loses them (fences and generation change). Rows that a migration made and
    that are only updated are kept with their defaults: tables with one row whose key is `one`.
    """
    async with connection.transaction():
        await connection.execute("SELECT 1 FROM progress ORDER BY lane FOR UPDATE")
        rows = await connection.fetch(
            """
            SELECT c.relname AS name, EXISTS (
              SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'one'
                AND a.atttypid = 'boolean'::regtype AND a.atthasdef) AS single
            FROM pg_class c WHERE c.relkind IN ('r', 'p')
              AND c.relnamespace = current_schema()::regnamespace AND c.relname <> ALL ($1)
            """,
            [*_KEPT, *keep],
        )
        if rows:
            names = ", ".join(f'"{row["name"]}"' for row in rows)
            singles = [
                row["name"]
                for row in rows
                if row["single"]
                and await connection.fetchval(f'SELECT EXISTS (SELECT FROM "{row["name"]}")')
                and not await _needs_values(connection, row["name"])
            ]
            await connection.execute(f"TRUNCATE {names}")
            for name in singles:
                await connection.execute(f'INSERT INTO "{name}" DEFAULT VALUES')
        await connection.execute(
            "UPDATE progress SET last = 0, through = 0, owner = NULL, fence = fence + 1"
        )
        await connection.execute(
            "UPDATE projection SET log_epoch = NULL, generation = generation + 1 WHERE one"
        )


async def _needs_values(connection: Connection, name: str) -> bool:
    """Whether a row cannot be made of defaults alone (then the projection makes it itself)."""
    found: bool = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
        " AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = '')",
        name,
    )
    return found
