"""What no column can hold (U+0000, numbers beyond 64 bits) is refused with words, wherever it stands."""

import httpx
import pytest
from fastapi import FastAPI

from shared.refused_parameters import words

BEYOND = "99999999999999999999"
ASKED = (
    "/v1/events?source=a%00&id=b", "/v1/events?source=a&id=%00", "/v1/quarantine?source=%00",
    "/v1/quarantine?code=%00", f"/v1/quarantine/{BEYOND}", f"/v1/quarantine?cursor={BEYOND}",
    "/v1/reconciliations?source=%00&day=2026-06-30", "/v1/audit?about=%00",
    f"/v1/audit?before={BEYOND}", "/v1/audit/uses/%00", "/v1/keys/%00", "/v1/intake/%00",
    f"/v1/log?after={BEYOND}", "/v1/log?after=0&type=%00", "/xapi/unmapped?reason=%00",
)  # fmt: skip


@pytest.mark.parametrize("address", ASKED)
async def test_asking(service: tuple[FastAPI, httpx.AsyncClient], admin: str, address: str) -> None:
    answer = await service[1].get(address, headers={"Authorization": f"Bearer {admin}"})
    assert answer.status_code in (404, 422), answer.text
    assert answer.json()["code"].endswith(("-unknown", "-parameter"))
    assert answer.json()["hint"]


async def test_writing(service: tuple[FastAPI, httpx.AsyncClient], admin: str) -> None:
    order = {"role": "reader", "unit": "24133", "label": "a\0b"}
    answer = await service[1].post(
        "/v1/invitations", json=order, headers={"Authorization": f"Bearer {admin}"}
    )
    found = answer.json()
    assert (answer.status_code, found["code"], found["pointer"]) == (400, "json-nul", "/label")
    assert found["hint"]


@pytest.mark.parametrize("day", ["2026-11-20T10:00:00Z", "20261120", "2026-11", "x", ""])
async def test_days(service: tuple[FastAPI, httpx.AsyncClient], admin: str, day: str) -> None:
    answer = await service[1].get(
        "/v1/reconciliations",
        params={"source": "https://x.example", "day": day},
        headers={"Authorization": f"Bearer {admin}"},
    )
    found = answer.json()
    assert (found["code"], found["pointer"]) == ("invalid-parameter", "/day")
    assert found["detail"] == "query day: this is not a day."
    assert "2026-06-30" in found["hint"]


def test_times() -> None:
    rule, fix = words({"type": "datetime_from_date_parsing", "loc": ("query", "since"), "msg": ""})
    assert rule == "this is not a time."
    assert "since" in fix
