"""Units: search, one unit, what lies below it, its history with who said what and why."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.registry.access import CurrentPrincipal
from services.registry.answers import Cursor, TaggedRoute, page
from services.registry.parameters import On
from services.registry.state import Registry, State
from shared.contracts.live import of_process
from shared.domain.definitions import Population
from shared.domain.units import UNIT_TYPES, Unit
from shared.problems import Problem

router = APIRouter(prefix="/v1/units", tags=["units"], route_class=TaggedRoute)

LEVELS = ("nation", "province", "district", "commune", "hamlet", "organisation")

Limit = Annotated[int, Query(ge=1, le=5000)]


def unit_json(state: State, unit: Unit, on: date) -> dict[str, Any]:
    """A unit as of a day."""
    parent = state.tree.unit(unit.parent) if unit.parent else None
    return {
        "unit_id": unit.unit_id,
        "code": unit.code,
        "era": unit.era,
        "name_vi": unit.name(on),
        "kind": unit.kind(on),
        "level": unit.level,
        "parent": unit.parent,
        "parent_name_vi": parent.name(on) if parent else None,
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
        "exists": unit.exists(on),
        "attributes": {name: unit.has(name, on) for name in sorted(unit.attributes)},
        **unit.facts,
    }


def population_json(population: Population) -> dict[str, Any]:
    """A declared denominator."""
    return {
        "population": population.population,
        "number": population.number,
        "as_of": population.as_of,
        "authority": population.authority,
        "source_ref": population.source_ref,
        "position": population.position,
        "recorded": population.recorded,
        "imported": population.imported,
    }


@router.get("")
async def find_units(
    state: Registry,
    q: Annotated[str | None, Query(max_length=100, description="name or code")] = None,
    level: Annotated[str | None, Query(description=", ".join(LEVELS))] = None,
    parent: Annotated[str | None, Query(description="code or code@era; all below it")] = None,
    attribute: Annotated[str | None, Query(description="has it: remote, difficult ...")] = None,
    kind: Annotated[str | None, Query(description="of a place or organisation: school ...")] = None,
    on: On = None,
    former: Annotated[bool, Query(description="also units that exist no more, or not yet")] = False,
    cursor: Cursor = None,
    limit: Limit = 200,
) -> dict[str, Any]:
    """Units of a day, by name (diacritics optional), level, kind, attribute and what they are in."""
    day = on or state.clock.today()
    check_level(level)
    _check_words(attribute, kind)
    tree = state.tree
    if parent is not None:
        top = state.unit(parent, day)
        units = tree.descendants(top.unit_id, None if former else day, level)
    else:
        units = [u for u in tree.units() if level in (None, u.level)]
    units = [
        u
        for u in units
        if (former or u.exists(day))
        and (attribute is None or u.has(attribute, day))
        and kind in (None, u.kind(day), u.facts.get("organisation_kind"))
    ]
    order: dict[str, list[Any]]
    if q and q.strip():
        seen_on = None if former else day
        at = state.definitions.position
        hits = state.search.find(tree.units(), at, q.strip(), seen_on, 10_000)
        wanted = {u.unit_id for u in units}
        units = [u for u in hits if u.unit_id in wanted]
        order = {u.unit_id: [n] for n, u in enumerate(units)}
    else:
        order = {u.unit_id: [LEVELS.index(u.level), u.unit_id] for u in units}
    shown, following = page(units, lambda u: order[u.unit_id], cursor, limit)
    return {
        "on": day,
        "total": len(units),
        "next": following,
        "units": [unit_json(state, unit, day) for unit in shown],
    }


@router.get("/{code}")
async def show_unit(state: Registry, code: str, on: On = None) -> dict[str, Any]:
    """One unit by code or code@era, with what was declared for it."""
    day = on or state.clock.today()
    unit = state.unit(code, day)
    populations = state.definitions.populations(unit.unit_id)
    return unit_json(state, unit, day) | {
        "ancestors": [
            {"unit_id": u.unit_id, "name_vi": u.name(day), "level": u.level}
            for u in state.tree.ancestors(unit.unit_id)
        ],
        "populations": [population_json(p) for p in populations],
    }


@router.get("/{code}/children")
async def show_children(
    state: Registry, code: str, on: On = None, cursor: Cursor = None, limit: Limit = 1000
) -> dict[str, Any]:
    """The units directly below, of that day."""
    day = on or state.clock.today()
    unit = state.unit(code, day)
    if on is None and not unit.exists(day) and unit.valid_to is not None:
        raise Problem(
            "unit-not-valid",
            f"{unit.unit_id} ended on {unit.valid_to.isoformat()}; it has nothing below it today.",
            pointer="/on",
            hint="Give ?on= a day on which it existed.",
        )
    children = state.tree.children(unit.unit_id, day)
    shown, following = page(children, lambda u: [u.unit_id], cursor, limit)
    return {
        "on": day,
        "unit_id": unit.unit_id,
        "total": len(children),
        "next": following,
        "units": [unit_json(state, child, day) for child in shown],
    }


@router.get("/{code}/history")
async def show_history(state: Registry, principal: CurrentPrincipal, code: str) -> dict[str, Any]:
    """Every unit that ever had this code (or the one named): names, attributes, succession, and,
    for whoever has a key, the events that said so, with their source and reason."""
    tree = state.tree
    if "@" in code:
        units = [state.unit(code, state.clock.today())]
    else:
        units = tree.with_code(code) or [state.unit(code, state.clock.today())]
    told = {} if principal.kind == "anonymous" else await _events(state, [u.unit_id for u in units])
    return {
        "code": code,
        "units": [_history(state, u) | {"events": told.get(u.unit_id, [])} for u in units],
    }


_EVENTS = """
SELECT position, recorded, type, source, id, content->'data' AS data FROM definition
WHERE type = ANY($1) AND content->'data'->>'unit_id' = ANY($2) AND revision = (
  SELECT max(d.revision) FROM definition d WHERE d.origin = definition.origin)
ORDER BY position
"""


async def _events(state: State, unit_ids: list[str]) -> dict[str, list[dict[str, Any]]]:
    """What was said of each unit, in the order of the log; what was revoked is not there."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in await state.pool.fetch(_EVENTS, sorted(UNIT_TYPES), unit_ids):
        data = row["data"]
        found.setdefault(data["unit_id"], []).append(
            {
                "type": row["type"],
                "source": row["source"],
                "id": row["id"],
                "position": row["position"],
                "recorded": row["recorded"],
                "source_ref": data.get("source_ref"),
                "says": {k: v for k, v in data.items() if k not in ("unit_id", "source_ref")},
            }
        )
    return found


def _history(state: State, unit: Unit) -> dict[str, Any]:
    names = [{"from": since, "name_vi": name, "kind": kind} for since, name, kind in unit.names]

    def other(unit_id: str, part: str) -> dict[str, Any]:
        known = state.tree.unit(unit_id)
        return {"unit_id": unit_id, "part": part, "name_vi": known.names[-1][1] if known else None}

    return {
        "unit_id": unit.unit_id,
        "level": unit.level,
        "valid_from": unit.valid_from,
        "valid_to": unit.valid_to,
        "names": names,
        "attributes": [
            {"attribute": name, "from": since, "value": value}
            for name, steps in sorted(unit.attributes.items())
            for since, value in steps
        ],
        "predecessors": [other(*p) for p in sorted(state.tree.predecessors(unit.unit_id))],
        "successors": [other(s.unit_id, s.part) for s in unit.successors],
    }


def _check_words(attribute: str | None, kind: str | None) -> None:
    """Refuse an attribute or a kind (of a place or of an organisation) that does not exist."""
    enums = of_process().words.enums
    attributes, kinds = enums["unit_attribute"], [*enums["unit_kind"], *enums["organisation_kind"]]
    if attribute is not None and attribute not in attributes:
        raise Problem(
            "attribute-unknown",
            "There is no such attribute of units.",
            pointer="/attribute",
            hint=f"One of {', '.join(attributes)}.",
        )
    if kind is not None and kind not in kinds:
        raise Problem(
            "kind-unknown",
            "There is no such kind of unit or organisation.",
            pointer="/kind",
            hint=f"One of {', '.join(kinds)}.",
        )


def check_level(level: str | None) -> None:
    """Refuse a level that does not exist."""
    if level is not None and level not in LEVELS:
        raise Problem(
            "level-unknown",
            "There is no such level of units.",
            pointer="/level",
            hint=f"Levels: {', '.join(LEVELS)}.",
        )
