"""The mark of a database into which a backup is being restored: a comment on the database itself.

It is set before anything is restored and taken away in the transaction that gives the log its new epoch.
A database that bears it holds nothing, or a log that looks like another one's twin: nobody uses it.
"""

from shared.db import UNFINISHED_RESTORE, Connection


async def mark_unfinished(connection: Connection, source: str) -> None:
    """Say that a restore has begun; needs the database's owner or a superuser."""
    await _comment(connection, f"{UNFINISHED_RESTORE} of {source}")


async def mark_finished(connection: Connection) -> None:
    """Take the mark away."""
    await _comment(connection, None)


async def _comment(connection: Connection, text: str | None) -> None:
    statement: str = await connection.fetchval(
        "SELECT format('COMMENT ON DATABASE %I IS %s', current_database(), quote_nullable($1::text))",
        text,
    )
    await connection.execute(statement)
