"""PostgreSQL: pools with time-outs, and the rule that a service works only in its own schema."""

import asyncio
import errno
import logging
import random
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

T = TypeVar("T")

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 120.0
"""How long a step of a migration is tried again before the migration is given up."""

GRACE_SECONDS = 10.0
"""After a statement's own time-out: a server that does not answer at all cannot enforce it."""

HEALTH_SECONDS = 4.5
"""How long a database may take to say that it is there; those who ask for health wait for five."""

GONE = (
    ConnectionError,
    TimeoutError,
    socket.gaierror,  # its name is not known any more
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # it stops, starts, has crashed, or took too long
    asyncpg.InsufficientResourcesError,  # of connections, memory, disk
    asyncpg.ReadOnlySQLTransactionError,  # another server leads now
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that broke in the middle
)
"""A database that does not answer, or not in time; see `is_gone`."""

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN})


def is_gone(error: BaseException) -> bool:
    """Whether an error says that the database is away: also that no way leads to it, or that each
    of its addresses refused in its own way."""
    if isinstance(error, GONE):
        return True
    return isinstance(error, OSError) and (
        error.errno in _UNREACHABLE or str(error).startswith("Multiple exceptions")
    )


REPEATABLE = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
"""What PostgreSQL raises when a transaction is to be tried again as a whole."""

REPEATS = 5


async def repeated(transaction: Callable[[], Awaitable[T]]) -> T:
    """Run a whole transaction; again, after a moment, when PostgreSQL asks to repeat it.

    Nothing was written then. Raises what `transaction` raises, the fifth time also that.
    """
    for tried in range(1, REPEATS):
        try:
            return await transaction()
        except REPEATABLE as error:
            log.info("PostgreSQL asks to repeat a transaction: %s", type(error).__name__)
        await asyncio.sleep(random.uniform(0, 0.02 * 2**tried))  # noqa: S311 - jitter, no secret
    return await transaction()


Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


async def _prepare(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: b"\x01" + _encoder.encode(value),
        decoder=lambda raw: _decoder.decode(raw[1:]),
        format="binary",
    )


class Pool(asyncpg.Pool):
    """A pool whose connections are waited for in bounded time, also when a server hangs."""

    __slots__ = ("place",)
    place: dict[str, str | int]

    def acquire(self, *, timeout: float | None = None) -> Any:
        """As asyncpg's; raises TimeoutError when no connection is free or made in time."""
        return super().acquire(timeout=GRACE_SECONDS if timeout is None else timeout)


async def ask_health(pool: asyncpg.Pool, question: str) -> None:
    """Ask one short question. Raises TimeoutError and what the database raises."""
    # A third each: to get a connection, to be answered, and to give up what hangs.
    third = HEALTH_SECONDS / 3
    async with pool.acquire(timeout=third) as connection, asyncio.timeout(third):
        await connection.fetchval(question)


async def connect_pool(
    url: str, schema: str, *, low: int = 1, high: int = 8, statement_timeout_s: float = 30
) -> asyncpg.Pool:
    """A pool whose connections see `schema` only and whose statements end in bounded time.

    jsonb travels as Python objects. `statement_timeout_s` 0 means no limit (rebuilds).
    """
    pool = Pool(
        url,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        init_size=low,
        min_size=low,
        max_size=high,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connect=None,
        setup=None,
        reset=None,
        init=_prepare,
        timeout=GRACE_SECONDS,
        command_timeout=statement_timeout_s + GRACE_SECONDS if statement_timeout_s else None,
        server_settings={
            "search_path": schema,
            "application_name": f"hocvuso-{schema}",
            "statement_timeout": str(int(statement_timeout_s * 1000)),
            "idle_in_transaction_session_timeout": "60000",
            "timezone": "UTC",
            "jit": "off",
        },
    )
    pool.place = _place(url, schema)
    return await pool


def place(pool: asyncpg.Pool) -> dict[str, str | int]:
    """Where a pool's database is, as spans say it; nothing of a pool that was not made here."""
    found: dict[str, str | int] = getattr(pool, "place", {})
    return found


def _place(url: str, schema: str) -> dict[str, str | int]:
    """`db.namespace` is DATABASE|SCHEMA (semantic conventions for PostgreSQL). No user, no password."""
    parts = urlsplit(url)
    found: dict[str, str | int] = {"db.namespace": f"{unquote(parts.path.lstrip('/'))}|{schema}"}
    if parts.hostname:
        found |= {"server.address": parts.hostname, "server.port": parts.port or 5432}
    return found


async def _not_usable(pool: asyncpg.Pool, schema: str) -> str | None:
    if not await pool.fetchval("SELECT to_regclass($1)", f"{schema}.alembic_version"):
        return f"the schema {schema} is not there yet: `hocvuso migrate` makes it"
    try:
        await _refuse_unfinished(pool, schema)
    except ForeignDatabase as error:
        return str(error)
    return None


async def connect_pool_when_there(
    url: str, schema: str, *, low: int = 1, high: int = 8, statement_timeout_s: float = 30
) -> asyncpg.Pool:
    """`connect_pool`, waiting as long as PostgreSQL or the schema is not there: processes and
    migrations start in any order.

    Back-off with jitter, at most ten seconds: many processes must not hit a starting server in step.
    """
    wait = 0.5
    while True:
        try:
            pool = await connect_pool(
                url, schema, low=low, high=high, statement_timeout_s=statement_timeout_s
            )
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError) as e:
            log.warning("PostgreSQL is not there yet: %s: %s", type(e).__name__, e)
        else:
            why = await _not_usable(pool, schema)
            if why is None:
                return pool
            await pool.close()
            log.warning("%s", why)
        await asyncio.sleep(random.uniform(wait / 2, wait))  # noqa: S311 - jitter, no secret
        wait = min(2 * wait, 10.0)


UNFINISHED_RESTORE = "hocvuso: unfinished restore"
"""How the comment of a database begins into which a restore was begun (`shared/unfinished.py`)."""

_COMMENT = """SELECT coalesce(shobj_description(oid, 'pg_database'), '') FROM pg_database
WHERE datname = current_database()"""


class ForeignDatabase(RuntimeError):
    """The database holds something that is not ours, or not all of it; we touch nothing."""


async def _refuse_unfinished(connection: Connection | asyncpg.Pool, schema: str) -> None:
    comment: str = await connection.fetchval(_COMMENT)
    if comment.startswith(UNFINISHED_RESTORE):
        raise ForeignDatabase(
            f"The database for {schema} holds an {comment.removeprefix('hocvuso: ')}: it was"
            " interrupted. hocvuso refuses it and has changed nothing. Fix: drop this database, make"
            " an empty one, and run `hocvuso restore` again."
        )


async def refuse_foreign(url: str, schema: str) -> None:
    """Raise `ForeignDatabase` unless the database is empty or already hocvuso's.

    Ours means: every table outside the system's own schemas lies in a schema that a hocvuso
    service created (each leaves the marker comment `hocvuso:NAME` on its schema).
    """
    connection = await asyncpg.connect(url)
    try:
        await _refuse_unfinished(connection, schema)
        rows = await connection.fetch(
            """
            SELECT n.nspname, obj_description(n.oid, 'pg_namespace') AS note, count(*) AS tables
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname !~ '^(pg_|information_schema)'
            GROUP BY 1, 2
            """
        )
        foreign = [r["nspname"] for r in rows if not (r["note"] or "").startswith("hocvuso:")]
        if foreign:
            raise ForeignDatabase(
                f"The database for {schema} holds tables of something else (schemas:"
                f" {', '.join(sorted(foreign))}). hocvuso refuses it and has changed nothing."
                f" Fix: name an empty database in HOCVUSO_{schema.upper()}_DATABASE_URL."
            )
    finally:
        await connection.close()


async def is_newest(url: str, schema: str, migrations: Path) -> bool:
    """Whether a schema is at the last revision of a history, whose files sort by revision."""
    last = max(path.name.partition("_")[0] for path in (migrations / "versions").glob("[0-9]*.py"))
    connection = await asyncpg.connect(url, timeout=GRACE_SECONDS)
    try:
        if await connection.fetchval("SELECT to_regclass($1)", f"{schema}.alembic_version") is None:
            return False
        rows = await connection.fetch(f"SELECT version_num FROM {schema}.alembic_version")
        return [row["version_num"] for row in rows] == [last]
    finally:
        await connection.close()


def migrate(
    url: str,
    schema: str,
    migrations: Path,
    *,
    revision: str = "head",
    patience_s: float = PATIENCE_SECONDS,
) -> None:
    """Bring `schema` to a revision (the newest) of the Alembic history in `migrations`.

    While others work in it; what that means, and what `patience_s` is: `shared/alembic_env.py`.
    """
    # Here, not above: services run without it, and it brings twenty megabytes along.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.attributes["url"] = url
    config.attributes["schema"] = schema
    config.attributes["patience"] = patience_s
    command.upgrade(config, revision)
