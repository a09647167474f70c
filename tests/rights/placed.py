"""The routes of the list of rights and those that applications answer."""

from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import Mount, Route

from tests.registry.routes import walk
from tests.rights.matrix import ROUTES

PLACED = {(service, route): kind for service, classes in ROUTES.items()
          for kind, routes in classes.items() for route in routes}  # fmt: skip


def found_routes(app: Any) -> dict[str, Any]:
    """`METHOD path` -> route, of everything that an application answers."""
    found: dict[str, Any] = {}
    for route in walk(app.routes):
        if isinstance(route, Mount):
            found[f"GET {route.path}"] = route
        elif isinstance(route, APIRoute):
            found |= {f"{method} {route.path}": route for method in route.methods or ()}
        elif isinstance(route, Route):
            found[f"GET {route.path}"] = route
    return found
