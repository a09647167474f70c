"""Visitors of the pages: staff and readers."""

from collections.abc import AsyncIterator

import pytest

from tests.registry.conftest import Running


def staff(role: str, subtree: str | None, *scopes: str) -> dict[str, object]:
    return {
        "name": f"staff-{role}", "roles": [role], "subtree": subtree, "kind": "session",
        "scopes": ["tables:read", *scopes], "sources": [f"https://hocvuso.example/staff/{role}"],
    }  # fmt: skip


@pytest.fixture
async def readers(registry: Running) -> AsyncIterator[Running]:
    keys = registry.activities.keys
    keys["hvs_chair_x"] = staff("commune", "24133@2025", "events:write", "staff:invite")
    keys["hvs_province_x"] = staff("department", "66@2025", "events:write")
    keys["hvs_reader_x"] = staff("reader", "24133@2025")
    registry.app.state.registry.settings.registry_open = False
    yield registry
    registry.app.state.registry.settings.registry_open = True
    registry.client.cookies.clear()
