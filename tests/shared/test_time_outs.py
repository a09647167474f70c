"""A statement ends in bounded time, also when the server does not answer at all."""

import os
import signal

import asyncpg
import pytest

from deploy.local.stack import LocalStack
from shared import db
from tests.conftest import new_database


async def test_the_server_ends_a_long_statement(infrastructure: LocalStack) -> None:
    url = await new_database(infrastructure, "activities")
    pool = await db.connect_pool(url, "public", statement_timeout_s=0.3)
    with pytest.raises(asyncpg.QueryCanceledError):
        await pool.execute("SELECT pg_sleep(20)")
    await pool.close()


async def test_a_server_that_hangs_is_given_up(
    infrastructure: LocalStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "GRACE_SECONDS", 3.0)
    url = await new_database(infrastructure, "activities")
    pool = await db.connect_pool(url, "public", high=1, statement_timeout_s=0.3)
    backend = await pool.fetchval("SELECT pg_backend_pid()")
    os.kill(backend, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            await pool.execute("SELECT 1")
    finally:
        os.kill(backend, signal.SIGCONT)
        pool.terminate()
