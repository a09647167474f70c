"""Every operation of registry with values for its parameters."""

from collections.abc import Iterator
from typing import Any

from tests.registry import fakes
from tests.registry.conftest import Running

AUTH = {"Authorization": f"Bearer {fakes.KEY}"}

VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "objective": "adults-certified-vneid",
    "obligation": "final-report-2026", "period": "once", "unit": "24133",
    "task": "t-10-closing-commune", "sha256": "0" * 64,
}  # fmt: skip


def operations(registry: Running) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Every address that is read, with its parameters."""
    for path, item in sorted(registry.app.openapi()["paths"].items()):
        if path.startswith("/v1/") and "get" in item:
            yield path, item["get"].get("parameters", [])
