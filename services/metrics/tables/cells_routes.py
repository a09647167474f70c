"""`GET /v1/cells`: the table of any day; `POST /v1/plans/check`: a plan before it is posted."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.metrics.access import CurrentPrincipal, authorize_unit
from services.metrics.definition_rows import grown_catalogue
from services.metrics.evaluating.query import Answer, ObjectiveState
from shared.bodies import read_json
from shared.days import FullDate
from shared.domain.checking import check
from shared.domain.compile import compile_plan
from shared.openapi_types import answers
from shared.problems import Problem

router = APIRouter()

LARGEST_PLAN = 1024 * 1024

LEVELS = "^(nation|province|district|commune|hamlet|organisation)$"


class PlanError(msgspec.Struct, kw_only=True):
    """An objective that cannot be counted although it says how. `pointer`: into the document."""

    objective: str
    detail: str
    pointer: str


class PlanCheck(msgspec.Struct, kw_only=True):
    """What a plan would need: `measures` in all, of which `new_measures` are not counted yet."""

    plan: Any
    ok: bool
    errors: list[PlanError]
    objectives: list[ObjectiveState]
    measures: int
    new_measures: int


@router.get("/v1/cells", tags=["cells"], responses=answers(Answer))
async def cells(
    request: Request,
    principal: CurrentPrincipal,
    plan: str,
    unit: str | None = None,
    level: Annotated[str | None, Query(pattern=LEVELS)] = None,
    as_of: FullDate | None = None,
    known_at: FullDate | None = None,
    tree: str = "as_of",
) -> Response:
    """Every objective of a plan for a unit and the units of a level in it: what had happened
    by the end of `as_of`, as it had been recorded by the end of `known_at`."""
    unit = await authorize_unit(request, principal, unit)
    return _json(await request.app.state.cells.ask(plan, unit, level, as_of, known_at, tree))


@router.post("/v1/plans/check", tags=["plans"], responses=answers(PlanCheck))
async def check_plan(request: Request, _: CurrentPrincipal) -> Response:
    """Compile a plan before it is posted: errors (objective, detail, JSON pointer into the
    document), and what it would need."""
    document = _document(await read_json(request, LARGEST_PLAN, "A plan"))
    async with request.app.state.pool.acquire() as connection:
        catalogue = await grown_catalogue(connection, request.app.state.catalogue)
    errors = check(document, catalogue)
    objectives = compile_plan(document, catalogue)
    needed = {m.fingerprint() for o in objectives for m in o.all_measures()}
    known = {
        row["fingerprint"]
        for row in await request.app.state.pool.fetch(
            "SELECT fingerprint FROM measure WHERE state = 'live'"
        )
    }
    return _json(
        PlanCheck(
            plan=document.get("id"),
            ok=not errors,
            errors=[PlanError(**error) for error in errors],
            objectives=[ObjectiveState.of(o) for o in objectives],
            measures=len(needed),
            new_measures=len(needed - known),
        )
    )


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), media_type="application/json")


def _document(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict) or not isinstance(document.get("objectives"), list):
        raise Problem(
            "plan-invalid",
            "The body is no plan document: it has no list of objectives.",
            hint="See plans/plan.schema.json.",
            pointer="/objectives",
        )
    if type(document.get("version", 1)) is not int:
        raise Problem(
            "plan-invalid",
            "The version of the plan is no whole number.",
            hint="Write 1, 2, 3 ...",
            pointer="/version",
        )
    return document
