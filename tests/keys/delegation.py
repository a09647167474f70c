"""Partners and staff who hand rights on."""

from typing import Any

from tests.keys.conftest import Api
from tests.keys.invitations import accept, invite


async def works(api: Api, key: str) -> bool:
    return (await api.with_key(key).ask("GET", "/v1/keys/self")).status_code == 200


async def partner(api: Api, **rights: Any) -> Any:
    return await api("POST", "/v1/keys", {"name": "p1", "roles": ["telecom"]} | rights)


async def staff(api: Api, role: str = "administrator", unit: str = "66", **more: Any) -> Any:
    """Somebody who came in by an invitation, with its id."""
    made = await invite(api, role, unit, **more)
    assert "code" in made and "id" in made, made
    return await accept(api, made["code"]) | {"id": made["id"]}
