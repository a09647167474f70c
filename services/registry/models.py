"""Table metadata of the schema `registry` (SQLModel); the migrations must agree with it (tests).

Hot paths use asyncpg; what a row is and which columns there are is said here, once.
"""

from datetime import date
from typing import Any

from sqlalchemy import BigInteger, Column, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Index, SQLModel


class Definition(SQLModel, table=True):
    """One row of the definition lane: what an event says since this position.

    `content` holds type, unitid, occurred, time and data; None is void. Per `origin` the highest
    `revision` holds; `recorded` makes every earlier state of knowledge answerable.
    """

    __tablename__ = "definition"
    __table_args__ = (Index("definition_origin", "origin", "revision"),)

    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    origin: int = Field(sa_type=BigInteger)
    revision: int
    recorded: date
    type: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    content: dict[str, Any] | None = Field(
        sa_column=Column(
            JSONB(none_as_null=True),
            nullable=True,
            comment="what holds since this position: type, unitid, occurred, time, data;"
            " null = void",
        )
    )
