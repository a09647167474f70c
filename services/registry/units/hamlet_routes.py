"""`GET` and `POST /v1/units/{code}/hamlets`: the list that a commune keeps of its hamlets."""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.registry.access import Writer, Writing
from services.registry.answers import IfNoneMatch, json_answer
from services.registry.parameters import On
from services.registry.posting import content_id, event
from services.registry.state import Registry, State
from services.registry.units import hamlets
from services.registry.units.changes import Planner
from services.registry.units.doubles import asked
from services.registry.units.wishes import Establish
from services.registry.units.write_routes import DryRun, Source, planner_of, write
from shared.bodies import larger_body
from shared.days import FullDate
from shared.domain.units import Unit
from shared.json_types import Truth
from shared.problems import Problem

router = APIRouter(prefix="/v1/units/{code}/hamlets", tags=["units"])


LARGEST = 1024 * 1024
"""Bytes of a body: 2,000 names, or 200,000 characters pasted."""


class HamletList(BaseModel):
    """What a commune pastes: one name per line (also a table out of a spreadsheet), or names."""

    model_config = ConfigDict(extra="forbid")

    names: Annotated[list[str], Field(max_length=2_000)] | Annotated[str, Field(max_length=200_000)]
    complete: Truth | None = Field(
        None,
        description="true: these are all, targets per hamlet can be judged; false: they are not,"
        " also if that was said before; left out: says nothing",
    )
    on: FullDate | None = Field(None, description="since when; default today")
    distinct: list[str] = Field(
        [],
        max_length=2_000,
        description="of `names`: those that are other hamlets, though spelt nearly like one",
    )


@dataclass
class Register:
    """The hamlets of a commune on a day. `declared`: how many there are, as somebody said last;
    complete: all of them are registered; `former`: those that ended."""

    commune: Unit
    on: date
    declared: int | None
    there: list[Unit] = field(default_factory=list)
    former: list[Unit] = field(default_factory=list)

    @property
    def state(self) -> str:
        """complete, incomplete, or absent: then targets per hamlet are unknown, never met."""
        if self.declared is not None and len(self.there) >= self.declared:
            return "complete"
        return "incomplete" if self.there else "absent"


def register_of(state: State, code: str, on: date) -> Register:
    """The register of a commune of that day; a problem when the unit is none."""
    commune = state.unit(code, on)
    if commune.level != "commune":
        raise Problem(
            "unit-not-commune",
            f"{commune.unit_id} is a {commune.level}; hamlets belong to communes.",
            pointer="/code",
            hint="Name the commune.",
        )
    said = (p for p in state.definitions.populations(commune.unit_id) if p.as_of <= on)
    declared = next((p.number for p in said if p.population == "hamlets"), None)
    found = Register(commune, on, declared)
    for unit in state.tree.children(commune.unit_id):
        if unit.level == "hamlet":
            (found.there if unit.exists(on) else found.former).append(unit)
    return found


@router.get("", response_class=Response)
async def show_hamlets(
    state: Registry,
    code: str,
    on: On = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """The hamlets of a commune with their codes, and whether the list is complete."""
    found = register_of(state, code, on or state.clock.today())
    return json_answer(
        {
            "unit_id": found.commune.unit_id,
            "name_vi": found.commune.name(found.on),
            "on": found.on,
            "state": found.state,
            "declared": found.declared,
            "hamlets": [_hamlet_json(unit, found.on) for unit in found.there],
            "former": [_hamlet_json(unit, found.on) for unit in found.former],
        },
        if_none_match,
    )


def _hamlet_json(unit: Unit, on: date) -> dict[str, Any]:
    return {
        "unit_id": unit.unit_id,
        "code": unit.code,
        "name_vi": unit.name(on),
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
        "names": [{"from": since, "name_vi": name} for since, name, _ in unit.names],
        "successors": [successor.unit_id for successor in unit.successors],
    }


@router.post("", response_class=Response)
@larger_body(LARGEST)
async def list_hamlets(
    state: Registry,
    code: str,
    pasted: HamletList,
    caller: Writing,
    source: Source = None,
    dry_run: DryRun = True,
) -> Response:
    """A commune's hamlets: those not known yet get stable codes. Missing ones are listed, never
    ended: rename or merge them. Only a complete list makes targets per hamlet judgeable."""
    planner, about = await plan_list(state, caller, code, pasted, source)
    return await write(state, caller, planner, dry_run, about)


async def plan_list(
    state: State, caller: Writer, code: str, given: HamletList, source: str | None = None
) -> tuple[Planner, dict[str, Any]]:
    """The events that a list makes, and what it says in names."""
    day = given.on or state.clock.today()
    commune = register_of(state, code, day).commune
    if not commune.exists(day):
        raise Problem(
            "unit-not-valid",
            f"{commune.unit_id} does not exist on {day.isoformat()}.",
            pointer="/on",
            hint="Name the commune and a day on which it exists.",
        )
    text = given.names if isinstance(given.names, str) else "\n".join(given.names)
    read = hamlets.pasted(text)
    if not read.names or len(read.names) > hamlets.MOST:
        raise Problem(
            "hamlets-malformed",
            f"The list has {len(read.names)} names; 1 to {hamlets.MOST} are taken.",
            pointer="/names",
            hint="One name per line.",
        )
    found = hamlets.listed(state.tree, commune, read.names, day, given.distinct)
    if found.near:
        raise asked(found.near, "/names", "name those that are other hamlets in `distinct`.")
    if given.complete and found.absent:
        raise Problem(
            "hamlets-absent",
            "The list is said to be complete, but lacks hamlets that exist.",
            pointer="/names",
            hint="Add them, or rename or merge them first (POST /v1/units/changes).",
            extra={"absent": [{"unit_id": id, "name_vi": name} for id, name in found.absent]},
        )
    planner = planner_of(state, caller, source, None)
    for new, name in found.new:
        made = Establish(op="establish", code=new, name_vi=name, kind="hamlet", parent="", on=day,
                         distinct=True)  # fmt: skip
        planner.plan_new(made, commune.unit_id)
    if given.complete:
        _declare(state, planner, caller.source(source), commune, day, len(found.known + found.new))
    elif given.complete is False:
        await _take_back(state, planner, caller.source(source), commune)
    about = {
        "unit_id": commune.unit_id,
        "known": [{"unit_id": id, "name_vi": name} for id, name in found.known],
        "new": [{"unit_id": f"{new}@2025", "name_vi": name} for new, name in found.new],
        "absent": [{"unit_id": id, "name_vi": name} for id, name in found.absent],
        "twice": found.twice,
        "skipped": read.skipped,
    }
    return planner, about


def _declare(
    state: State, planner: Planner, source: str, commune: Unit, day: date, number: int
) -> None:
    """Say how many hamlets there are, unless that is what was said last."""
    said = (p for p in state.definitions.populations(commune.unit_id) if p.as_of <= day)
    if next((p.number for p in said if p.population == "hamlets"), None) == number:
        return
    data: dict[str, Any] = {"population": "hamlets", "number": number, "as_of": day.isoformat()}
    data |= {"authority": f"UBND {commune.name(day)}"}
    seen = {"seen": state.definitions.position}
    id = content_id("population", commune.unit_id, "hamlets", data=data | seen)
    at = f"{min(day, state.clock.today()).isoformat()}T00:00:00+07:00"
    planner.planned.events.append(
        event("population.declared", source, id, commune.unit_id, at, data)
    )
    planner.planned.difference.append(f"= {commune.unit_id}: {number} hamlets, complete")


async def _take_back(state: State, planner: Planner, source: str, commune: Unit) -> None:
    """Revoke what was said about how many hamlets there are."""
    said = [
        p.position
        for p in state.definitions.populations(commune.unit_id)
        if p.population == "hamlets"
    ]
    rows = await state.pool.fetch(
        "SELECT o.source, o.id FROM definition d JOIN definition o ON o.position = d.origin"
        " WHERE d.position = ANY($1) ORDER BY o.position",
        said,
    )
    at = state.clock.now().isoformat(timespec="seconds")
    for row in rows:
        revokes = {"source": row["source"], "id": row["id"]}
        data = {"revokes": revokes, "reason": "Danh sách thôn, buôn chưa đủ"}
        id = content_id("revoked", commune.unit_id, "hamlets", data=data)
        planner.planned.events.append(event("event.revoked", source, id, commune.unit_id, at, data))
    if rows:
        planner.planned.difference.append(f"= {commune.unit_id}: the list is not complete")
