"""The reference of the single-POST row: a FastAPI route that only validates the same body."""

from typing import Literal

from fastapi import FastAPI
from pydantic import AwareDatetime, BaseModel


class Person(BaseModel):
    """A person reference as posted."""

    scheme: str
    value: str


class Certified(BaseModel):
    """The data of citizen.certified."""

    person: Person
    target_groups: list[str]
    platform: Literal["vneid", "binhdanhocvuso"]


class Event(BaseModel):
    """A CloudEvents 1.0 envelope."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str
    time: AwareDatetime
    data: Certified


def create_app() -> FastAPI:
    """Validates and answers; stores nothing."""
    app = FastAPI()

    @app.post("/v1/events", status_code=201)
    async def post(event: Event) -> dict[str, str | int]:
        return {"source": event.source, "id": event.id, "status": "accepted", "position": 1}

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app
