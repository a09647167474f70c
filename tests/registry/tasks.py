"""Tasks of a plan and the events that change them."""

from typing import Any

from tests.registry import fakes
from tests.registry.conftest import Running

DAK_LAK = "/v1/plans/dak-lak-2026/tasks"

WARD = "24133@2025"


def happened(id: str, type: str, unit: str, day: str, **data: Any) -> fakes.CloudEvent:
    return {
        "id": id,
        "source": "https://sokhcn.example",
        "type": f"vn.hocvuso.{type}",
        "subject": unit,
        "time": f"{day}T09:00:00+07:00",
        "data": data,
    }


async def one(registry: Running, address: str, **params: str) -> dict[str, Any]:
    answer = await registry.client.get(address, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def commune(registry: Running, task: str, unit: str = WARD) -> dict[str, Any]:
    found = await one(registry, f"{DAK_LAK}/{task}", unit=unit)
    return dict(found["standings"][0])
