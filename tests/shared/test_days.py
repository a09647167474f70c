"""Days and times are taken as RFC 3339 writes them, and never as a number of seconds."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Annotated, Any, get_args

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from services.activities import app as activities
from services.metrics import app as metrics
from services.registry import app as registry
from shared.days import DateTime, FullDate
from shared.problems import install
from tests.registry.routes import walk


class Body(BaseModel):
    on: FullDate | None = None
    at: DateTime | None = None


app = FastAPI()
install(app)


@app.get("/")
async def parameters(on: FullDate | None = None, at: DateTime | None = None) -> Body:
    return Body(on=on, at=at)


@app.post("/")
async def body(given: Body) -> Body:
    return given


async def ask(how: str, **given: object) -> httpx.Response:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test"
    ) as client:
        if how == "address":
            return await client.get("/", params=given)  # type: ignore[arg-type]
        return await client.post("/", json=given)


both = pytest.mark.parametrize("how", ["address", "body"])


@both
async def test_what_rfc_3339_writes_is_taken(how: str) -> None:
    answer = await ask(how, on="2026-06-30", at="2026-06-30T09:12:00+07:00")
    assert answer.json() == {"on": "2026-06-30", "at": "2026-06-30T09:12:00+07:00"}


@both
@pytest.mark.parametrize(
    "written", ["0", 0, 20260630, "20260630", "1782777600", "30/6/2026", "2026-06-31", "٢٠٢٦-٠٦-٣٠"]
)
async def test_what_is_not_a_day_is_refused_with_the_form(how: str, written: object) -> None:
    answer = await ask(how, on=written)
    assert answer.status_code == 422
    assert "this is not a day." in answer.json()["detail"]
    assert answer.json()["hint"] == "Write on like 2026-06-30 (year, month, day)."


@both
@pytest.mark.parametrize(
    "written", ["0", 0, "1782777600", 1782777600.5, "2026-06-30", "2026-06-30T09:12:00", "09:12"]
)
async def test_what_is_not_a_time_is_refused_with_the_form(how: str, written: object) -> None:
    answer = await ask(how, at=written)
    assert answer.status_code == 422
    assert "this is not a time." in answer.json()["detail"]
    assert answer.json()["hint"] == "Write at like 2026-06-30T09:12:00+07:00."


def test_our_own_days_and_times_are_taken_as_they_are() -> None:
    at = datetime(2026, 6, 30, tzinfo=UTC)
    assert Body(on=date(2026, 6, 30), at=at) == Body.model_construct(on=date(2026, 6, 30), at=at)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for each in annotation.model_fields.values():
            yield from _models(each.annotation)
    for inner in get_args(annotation):
        yield from _models(inner)


def _taken(of: Dependant) -> Iterator[tuple[str, Any]]:
    """Name and type of all that comes from a caller: parameters, and the members of bodies."""
    for parameter in (*of.query_params, *of.path_params, *of.header_params):
        yield parameter.name, parameter.field_info
    for parameter in of.body_params:
        for model in _models(parameter.field_info.annotation):
            for name, member in model.model_fields.items():
                yield f"{model.__name__}.{name}", member
    for below in of.dependencies:
        yield from _taken(below)


@pytest.mark.parametrize("service", [activities, metrics, registry], ids=lambda s: s.__name__)
def test_no_address_and_no_body_takes_a_number_for_a_day(service: ModuleType) -> None:
    days = set()
    for route in walk(service.create_app().routes):
        for name, field in _taken(route.dependant) if isinstance(route, APIRoute) else ():
            given = TypeAdapter(Annotated[field.annotation, None, *field.metadata])
            for number in (0, "0"):
                with contextlib.suppress(ValidationError):
                    assert not isinstance(given.validate_python(number), date), (route.path, name)
            for written in ("2026-06-30", "2026-06-30T09:12:00+07:00"):
                with contextlib.suppress(ValidationError):
                    if isinstance(given.validate_python(written), date):
                        days.add((route.path, name))
    assert days
