"""Days and times are taken as RFC 3339 writes them, and never as a number of seconds."""

from datetime import UTC, date, datetime

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from shared.days import DateTime, FullDate
from shared.problems import install


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
