"""Make a key for a test."""

from typing import Any

import httpx


async def make_key(client: httpx.AsyncClient, admin: str, **order: Any) -> str:
    answer = await client.post("/v1/keys", json=order, headers={"Authorization": f"Bearer {admin}"})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["key"])
