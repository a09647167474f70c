"""A commune's list of hamlets as a page: paste, look at the difference, write; rename; merge.

Nothing is written before its difference was shown. What is written goes to activities under the
key of who is signed in, which judges it.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import ValidationError

from services.registry.access import CurrentPrincipal, Writer, Writing
from services.registry.state import Registry, State
from services.registry.units import hamlets
from services.registry.units.changes import Planner
from services.registry.units.hamlet_routes import HamletList, Register, plan_list, register_of
from services.registry.units.wishes import Merge, NewUnit, Rename
from services.registry.units.write_routes import carry_out, planner_of
from services.registry.web.render import PageRoute, needs_person, show
from services.registry.web.waiting import learn
from shared.auth import Principal
from shared.auth.scopes import WRITE
from shared.bodies import read_form
from shared.domain.territory import may_write
from shared.domain.units import UnknownUnit
from shared.problems import Problem

router = APIRouter(prefix="/units/{code}/hamlets", route_class=PageRoute, include_in_schema=False)

LARGEST = 256 * 1024
COMPLETE = {"yes": True, "no": False, "": None}
NEW_HAMLET = "new"
Form = dict[str, list[str]]


@dataclass
class Shown:
    """What stands on the page besides the register: what was typed, and what it would change."""

    typed: Form = field(default_factory=dict)
    planner: Planner | None = None
    about: dict[str, Any] = field(default_factory=dict)
    problem: Problem | None = None


@router.get("")
async def hamlets_page(
    state: Registry,
    principal: CurrentPrincipal,
    code: str,
    rename: Annotated[str, Query(max_length=80)] = "",
    done: Annotated[int, Query(ge=0)] = 0,
) -> HTMLResponse:
    """The hamlets of a commune, with their codes, and the forms for whoever may change them."""
    found = register_of(state, code, state.clock.today())
    return _page(state, principal, found, Shown({"unit": [rename]} if rename else {}), done)


@router.post("")
async def change_hamlets(
    request: Request, state: Registry, principal: CurrentPrincipal, caller: Writing, code: str
) -> Response:
    """Show what the form would change; write it when that was seen (`write`)."""
    form = await read_form(request, LARGEST)
    found = register_of(state, code, state.clock.today())
    shown = Shown(form)
    try:
        shown.planner, shown.about = await _planned(state, caller, found, form)
        if not _one(form, "write"):
            await carry_out(state, caller, shown.planner, True)
            return _page(state, principal, found, shown)
        position = await carry_out(state, caller, shown.planner, False)
    except Problem as problem:
        if needs_person(problem):
            raise
        shown.problem = problem
        return _page(state, principal, found, shown)
    await learn(state, position)
    written = len(shown.planner.planned.events)
    address = f"/units/{quote(found.commune.unit_id)}/hamlets?done={written}"
    return RedirectResponse(address, 303)


async def _planned(
    state: State, caller: Writer, found: Register, form: Form
) -> tuple[Planner, dict[str, Any]]:
    what = _one(form, "what")
    try:
        day = date.fromisoformat(_one(form, "on"))
        if what == "list":
            complete = COMPLETE.get(_one(form, "complete"))
            given = HamletList(
                names=_one(form, "names"), complete=complete, on=day,
                distinct=form.get("distinct", []),
            )  # fmt: skip
            return await plan_list(state, caller, found.commune.unit_id, given)
        planner = planner_of(state, caller, None, None)
        planner.plan(_rename(found, form, day) if what == "rename" else _merge(found, form, day))
    except ValidationError as error:
        where = str(error.errors()[0]["loc"][-1])
        raise Problem(
            "hamlets-malformed", f"{where} is missing or too long.", pointer=f"/{where}",
            hint="Fill it in.",
        ) from None  # fmt: skip
    except UnknownUnit as unknown:
        raise Problem(unknown.code, unknown.detail, hint=unknown.hint) from None
    except ValueError:
        raise Problem(
            "form-incomplete", "The day is missing.", pointer="/on", hint="Fill it in."
        ) from None
    return planner, {}


def _rename(found: Register, form: Form, day: date) -> Rename:
    own = {unit.unit_id for unit in found.there}
    if _one(form, "unit") not in own:
        raise _not_there()
    name = " ".join(_one(form, "name").split())
    return Rename(op="rename", unit=_one(form, "unit"), name_vi=name, on=day,
                  distinct=bool(form.get("distinct")))  # fmt: skip


def _merge(found: Register, form: Form, day: date) -> Merge:
    own = {unit.unit_id for unit in found.there}
    units, into = form.get("units", []), _one(form, "into")
    if not units or not own.issuperset(units) or into not in (own | {NEW_HAMLET}):
        raise _not_there()
    if into != NEW_HAMLET:
        return Merge(op="merge", units=units, into=into, on=day)
    code = f"{found.commune.code}-{hamlets.next_number(found.there + found.former):03}"
    name = " ".join(_one(form, "name").split())
    distinct = bool(form.get("distinct"))
    made = NewUnit(code=code, name_vi=name, kind="hamlet", distinct=distinct)
    return Merge(op="merge", units=units, into=made, on=day)


def _not_there() -> Problem:
    return Problem(
        "hamlets-malformed",
        "Choose hamlets of this commune that exist.",
        pointer="/units",
        hint="Open the page again: the list may have changed meanwhile.",
    )


def _one(form: Form, name: str) -> str:
    return form.get(name, [""])[0].strip()


def _may_write(state: State, principal: Principal, found: Register) -> bool:
    bound = principal.subtree
    inside = bound is not None and may_write(state.tree, found.commune.unit_id, bound)
    commune = inside and "commune" in principal.roles and principal.has(WRITE)
    return principal.is_administrator or commune


def _page(
    state: State, principal: Principal, found: Register, shown: Shown, done: int = 0
) -> HTMLResponse:
    return show(
        state,
        "hamlets.html",
        200 if shown.problem is None else shown.problem.status,
        found=found,
        name=found.commune.name(found.on),
        ancestors=[
            (unit.unit_id, unit.name(found.on))
            for unit in reversed(state.tree.ancestors(found.commune.unit_id))
        ],
        may_write=_may_write(state, principal, found),
        key=principal.is_signed_in,
        what=_one(shown.typed, "what"),
        typed={name: values[0] for name, values in shown.typed.items()},
        chosen=shown.typed.get("units", []),
        distinct=shown.typed.get("distinct", []),
        names={unit.unit_id: unit.name(found.on) for unit in found.there},
        planned=shown.planner.planned if shown.planner and shown.problem is None else None,
        about=shown.about,
        problem=shown.problem,
        done=done,
        NEW_HAMLET=NEW_HAMLET,
    )
