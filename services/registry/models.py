"""Table metadata of the schema `registry` (SQLModel); the migrations must agree with it (tests).

Hot paths use asyncpg; what a row is and which columns there are is said here, once.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, LargeBinary, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, Index, SQLModel


class Definition(SQLModel, table=True):
    """One row of the definition lane: what an event says since this position.

    `content` holds type, unitid, occurred, time and data; None is void. Per `origin` the highest
    `revision` holds; `recorded` makes every earlier state of knowledge answerable.
    """

    __tablename__ = "definition"
    __table_args__ = (
        Index("definition_origin", "origin", "revision"),
        Index("definition_unit", text("((content -> 'data') ->> 'unit_id')")),
    )

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


class Journal(SQLModel, table=True):
    """One row of a fact that registry keeps whole: a report, a review, a dispatch of forces.

    Per `origin` the highest `revision` holds; `content` as in Definition, None is void.
    """

    __tablename__ = "journal"
    __table_args__ = (
        Index("journal_origin", "origin", "revision"),
        Index("journal_type", "type", "unit_id", "occurred"),
    )

    position: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    origin: int = Field(sa_type=BigInteger)
    revision: int
    recorded: date
    occurred: date
    type: str = Field(sa_type=Text)
    source: str = Field(sa_type=Text)
    id: str = Field(sa_type=Text)
    unit_id: str = Field(sa_type=Text)
    content: dict[str, Any] | None = Field(
        sa_column=Column(
            JSONB(none_as_null=True),
            nullable=True,
            comment="what holds since this position: type, unitid, occurred, time, data;"
            " null = void",
        )
    )


class Arrival(SQLModel, table=True):
    """How many events of a type a source has sent for a unit and a day, and when.

    `late`: of these, recorded more than a week after they occurred (opening balances are not).
    `zero`: of these, reports whose figure is 0, which is not the same as no report.
    """

    __tablename__ = "arrival"
    __table_args__ = (Index("arrival_unit", "unit_id", "occurred"),)

    type: str = Field(sa_type=Text, primary_key=True)
    unit_id: str = Field(sa_type=Text, primary_key=True)
    source: str = Field(sa_type=Text, primary_key=True)
    occurred: date = Field(primary_key=True)
    n: int = Field(sa_type=BigInteger)
    late: int = Field(sa_type=BigInteger)
    zero: int = Field(sa_type=BigInteger)
    first_recorded: date
    last_recorded: date
    last_position: int = Field(sa_type=BigInteger)


class Reported(SQLModel, table=True):
    """That a unit has ever reported a type: what tables ask on every refresh."""

    __tablename__ = "reported"
    __table_args__ = (Index("reported_position", "last_position"),)

    type: str = Field(sa_type=Text, primary_key=True)
    unit_id: str = Field(sa_type=Text, primary_key=True)
    last_position: int = Field(sa_type=BigInteger)


class Restated(SQLModel, table=True):
    """What an event that was corrected or revoked says now; `arrival` keeps what was sent.

    `unit_id`, `occurred` None: it is void. `type` and the first unit and day are those of the event
    as sent; None until they have been looked up in the log.
    """

    __tablename__ = "restated"
    __table_args__ = (Index("restated_type", "type"),)

    origin: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    revision: int
    unit_id: str | None = Field(sa_type=Text)
    occurred: date | None
    type: str | None = Field(sa_type=Text)
    first_unit: str | None = Field(sa_type=Text)
    first_occurred: date | None


class ReportFile(SQLModel, table=True):
    """A file of a report, by its hash: never changed and never deleted (a trigger refuses both).

    `checks`: what was found when it came: signatures of a PDF, what looked at it.
    """

    __tablename__ = "report_file"

    sha256: str = Field(sa_type=Text, primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    size: int = Field(sa_type=BigInteger)
    media_type: str = Field(sa_type=Text)
    stored_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    checks: dict[str, Any] = Field(sa_column=Column(JSONB, nullable=False))


class ReportTemplate(SQLModel, table=True):
    """Which Word template a body's reports under a plan are written in: the newest row holds. One
    without a file: the template that ships again."""

    __tablename__ = "report_template"
    __table_args__ = (Index("report_template_body", "plan", "body", "id"),)

    id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=True))
    plan: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)
    sha256: str | None = Field(sa_type=Text)
    name: str = Field(sa_type=Text)
    set_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))
    set_by: str = Field(sa_type=Text)


class ReportClaim(SQLModel, table=True):
    """That somebody confirms a report in a round: one only, also before the log has come back."""

    __tablename__ = "report_claim"

    report: str = Field(sa_type=Text, primary_key=True)
    round: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
