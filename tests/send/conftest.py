"""The running service, and the command as a user of a commune runs it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from typer.testing import CliRunner, Result

from hocvuso_cli import language
from services.activities.cli import app
from tests.activities.conftest import admin, clock, database, port, service, settings
from tests.send.values import SOURCE

__all__ = ["SOURCE", "admin", "clock", "database", "port", "service", "settings"]

Run = Callable[..., Awaitable[Result]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests read English; what is Vietnamese by default is tested as such."""
    monkeypatch.setenv("HOCVUSO_LANG", "en")
    monkeypatch.setattr(language, "_chosen", [])


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, admin: str, port: int) -> Run:
    """`hocvuso send ...` with a configuration directory of its own."""
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(tmp_path / "admin.key"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    async def call(*arguments: object) -> Result:
        words = ["send", *map(str, arguments)]
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, words))

    return call


@dataclass
class Sheet:
    """A sheet as lists; the first row is the header."""

    rows: list[list[Any]]

    @classmethod
    def read(cls, path: Path) -> "Sheet":
        book = openpyxl.load_workbook(path)
        return cls([[cell.value for cell in row] for row in book.worksheets[0].iter_rows()])

    def column(self, name: str) -> list[Any]:
        """The cells below the header that ends in [name]."""
        (at,) = [i for i, h in enumerate(self.rows[0]) if h and h.endswith(f"[{name}]")]
        return [row[at] for row in self.rows[1:]]


def write_xlsx(path: Path, rows: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(path)
    return path


async def logged(service: Any, type_name: str) -> list[dict[str, Any]]:
    """The events of a type in the log, in order."""
    import json

    async with service[0].state.pool.acquire() as connection:
        rows = await connection.fetch(
            "SELECT * FROM log WHERE type = $1 AND ordinal = 0 ORDER BY position", type_name
        )
    return [{**row, "data": json.loads(row["data"])} for row in rows]
