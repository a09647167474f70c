"""The migrations make exactly the tables that the models describe."""

from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from deploy.local.stack import LocalStack
from services.registry import columns, models
from tests.conftest import migrated_database

MIGRATIONS = Path(__file__).parents[2] / "services" / "registry" / "migrations"


def test_the_columns_written_in_bulk_are_those_of_the_models() -> None:
    assert tuple(models.Journal.model_fields) == columns.JOURNAL
    assert tuple(models.Arrival.model_fields) == columns.ARRIVAL
    assert tuple(models.Definition.model_fields) == columns.DEFINITION


async def test_models_and_migrations_agree(infrastructure: LocalStack) -> None:
    url = await migrated_database(infrastructure, "registry")
    engine = create_engine(
        url.replace("postgresql://", "postgresql+psycopg://"),
        connect_args={"options": "-csearch_path=registry"},
    )
    described = set(SQLModel.metadata.tables)

    def ours(_: Any, name: str | None, kind: str, *__: Any) -> bool:
        return kind != "table" or name in described

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": ours, "compare_type": True}
        )
        differences = compare_metadata(context, SQLModel.metadata)
    engine.dispose()
    files = {"report_file", "report_template", "report_claim"}
    assert described == files | {"definition", "journal", "arrival", "reported", "restated"}
    assert differences == []
