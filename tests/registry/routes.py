"""Every route of an application, and values for registry's parameters."""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi.routing import APIRoute

from tests.registry.conftest import Running

VALUES = {
    "plan": "dak-lak-2026", "code": "24133", "objective": "adults-certified-vneid",
    "obligation": "final-report-2026", "period": "once", "type": "class.held", "id": "00000001",
    "task": "t-10-closing-commune", "sha256": "0" * 64,
}  # fmt: skip


def walk(routes: Iterable[Any]) -> Iterator[Any]:
    """All routes, also of included routers, which FastAPI keeps as they are."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from walk(route.original_router.routes)
        else:
            yield route


def routes(registry: Running) -> list[str]:
    return [
        f"{method} {route.path}"
        for route in walk(registry.app.routes)
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]
