"""Short ways to post to the real service, and the units that the tests post for."""

import json
from typing import Any

import httpx

from tests.activities.fake import BATCH, event

UNITS = [
    ("VN@2025", "Việt Nam", "nation", None),
    ("66@2025", "Tỉnh Đắk Lắk", "province", "VN@2025"),
    ("24133@2025", "Phường Buôn Ma Thuột", "ward", "66@2025"),
    ("75@2025", "Tỉnh Đồng Nai", "province", "VN@2025"),
]


def unit(unit_id: str, name: str, kind: str, parent: str | None) -> dict[str, Any]:
    code, era = unit_id.split("@")
    data = {"unit_id": unit_id, "code": code, "era": era, "name_vi": name, "kind": kind,
            "from": "2025-07-01"}  # fmt: skip
    if parent:
        data["parent"] = parent
    return event(id=f"unit-{unit_id}", source="https://hocvuso.example/registry", subject=unit_id,
                 type="vn.hocvuso.unit.established", time="2025-07-01T00:00:00+07:00", data=data)  # fmt: skip


async def send(client: httpx.AsyncClient, key: str, body: Any, **how: Any) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    many = content.lstrip()[:1] == b"["
    kind = BATCH if many else "application/cloudevents+json"
    answer = await client.post(
        "/v1/events", content=content, params=how,
        headers={"Authorization": f"Bearer {key}", "Content-Type": kind},
    )  # fmt: skip
    return answer.json()
