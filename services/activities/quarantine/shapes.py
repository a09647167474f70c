"""What `/v1/quarantine` takes and answers."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.activities.quarantine.store import State
from shared.days import DateTime
from shared.json_types import Whole


class Listed(BaseModel):
    """A refused event. `source`, `id` null and `type` "" where unknown or not to be repeated."""

    number: int
    partner: str
    source: str | None
    id: str | None
    type: str
    path: str
    state: State
    code: str
    problem: dict[str, Any]
    times: int = Field(description="how often the same content was refused")
    first_seen: datetime
    last_seen: datetime
    forgotten_on: date = Field(description="when it is deleted, unless refused again")
    replays: int
    position: int | None = Field(description="where the log has it, once resolved")
    reason: str | None = Field(description="why it was dismissed")
    closed_by: str | None
    closed_at: datetime | None
    trace_id: str | None


class Masked(BaseModel):
    """A masked value: `kept` as a reference for a replay, or `needed` in `changes`."""

    pointer: str
    replay: Literal["kept", "needed"]


class Shown(Listed):
    """With the original: `***` where personal values stood; null where nothing could be read."""

    event: dict[str, Any] | None
    masked: list[Masked]
    bytes: int
    replay_problem: dict[str, Any] | None = Field(description="why the last replay was refused")


class Page(BaseModel):
    """Newest first; go on with `cursor=next` until it is null."""

    items: list[Listed]
    next: int | None
    warnings: list[str] = Field([], description="what the filter names and nobody knows")


class Selection(BaseModel):
    """Which open events to replay, at least by one member, and what to change in each of them
    (a JSON merge patch, RFC 7396); `cursor` to go on."""

    model_config = ConfigDict(extra="forbid")

    source: str | None = None
    code: str | None = None
    type: str | None = None
    since: DateTime | None = None
    changes: dict[str, Any] | None = None
    cursor: Whole | None = None
    limit: Annotated[Whole, Field(ge=1, le=1_000)] = 1_000


class Replayed(BaseModel):
    """What became of one number."""

    number: int
    source: str | None
    id: str | None
    status: Literal["accepted", "duplicate", "rejected"]
    position: int | None
    problem: dict[str, Any] | None = None
    warnings: list[str] = []


class ReplayedPage(BaseModel):
    """Go on with `cursor=next` until it is null."""

    accepted: int
    duplicates: int
    rejected: int
    results: list[Replayed]
    next: int | None
    warnings: list[str] = Field([], description="what the filter names and nobody knows")


class Reason(BaseModel):
    """Why nothing is to be done about it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500)]
