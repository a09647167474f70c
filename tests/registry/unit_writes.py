"""Write units through registry."""

from typing import Any

import httpx

from tests.registry import fakes
from tests.registry.conftest import Running

AUTH = {"Authorization": f"Bearer {fakes.KEY}"}

WRITE = {"dry_run": "false"}


async def change(registry: Running, *changes: dict[str, Any], **params: str) -> httpx.Response:
    return await registry.client.post(
        "/v1/units/changes",
        json={"changes": list(changes), "source_ref": "1/NQ"},
        headers=AUTH,
        params=params,
    )


async def unit(registry: Running, code: str, on: str | None = None) -> dict[str, Any]:
    answer = await registry.client.get(f"/v1/units/{code}", params={"on": on} if on else {})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
