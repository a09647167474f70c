"""No parameter is overlooked: an answer for today to somebody who asked `asof=2026-06-30` would be
a wrong number that looks right. And the days that many answers take."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.days import FullDate
from shared.problems import Problem

AsOf = Annotated[FullDate | None, Query(description="what had happened by the end of")]
KnownAt = Annotated[FullDate | None, Query(description="what was recorded by the end of")]
On = Annotated[FullDate | None, Query(description="day; default today")]


def taken(route: APIRoute) -> frozenset[str]:
    """The names of all query parameters that a route takes, those of its dependencies included."""
    return frozenset(_names(route.dependant))


def _names(of: Dependant) -> Iterator[str]:
    yield from (field.alias for field in of.query_params)
    for below in of.dependencies:
        yield from _names(below)


async def declared(request: Request) -> None:
    """The dependency of every address of the API: refuses parameters that it does not take.

    The name is the asker's own and is not repeated; the hint lists those that there are.
    """
    if not request.scope["query_string"]:
        return
    route = request.scope.get("route")
    if not isinstance(route, APIRoute):
        return
    known = taken(route)
    if not known.issuperset(request.query_params):
        takes = f"It takes: {', '.join(sorted(known))}." if known else "It takes none."
        raise Problem(
            "parameter-unknown",
            "The address has a parameter that this answer does not take.",
            status=422,
            pointer="/query",
            hint=f"{takes} /docs explains them.",
        )


Declared = Depends(declared)
