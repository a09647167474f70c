"""Invite, accept, and look what became of it."""

from typing import Any

from tests.keys.conftest import Api


async def invite(api: Api, role: str = "editor", unit: str = "24133", **more: Any) -> Any:
    return await api("POST", "/v1/invitations", {"role": role, "unit": unit, "label": "x"} | more)


async def accept(api: Api, code: str) -> Any:
    answer = await api.client.post("/v1/invitations/accept", json={"code": code})
    return answer.json()


async def state_of(api: Api, id: str) -> str:
    (found,) = [i for i in await api("GET", "/v1/invitations") if i["id"] == id]
    return str(found["state"])
