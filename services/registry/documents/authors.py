"""Who writes a duty's report, and how much of the plan it speaks of. Pure.

Whoever is named by itself, or gathers others' reports, speaks of the whole plan. A member of a group
speaks of what the plan gives it: the targets and tasks that it leads. A unit speaks of itself. Where
a duty is proven by events of one type, its report is about the targets that count these.
"""

from datetime import date
from typing import Any

from services.registry.documents.material import Author
from services.registry.plans.bodies import LEVEL_OF_KIND, Body
from services.registry.progress.reasons import types_of
from services.registry.reports.answering import REPORTS
from shared.domain.units import Unit

Json = dict[str, Any]
PREFIX = {"hamlet": "Ban tự quản "}
COMMUNE = "Ủy ban nhân dân "


def gatherers(duty: Json, organisations: dict[str, Json]) -> list[str]:
    """Bodies that reports go through: each makes one of all of them."""
    return [name for name in duty.get("via") or () if not organisations[name].get("group")]


def author_of(document: Json, duty: Json, body: Body, unit: Unit | None, on: date) -> Author:
    """The author of a duty's report. `unit`: the body's, where it is a unit of the tree."""
    organisations = {o["id"]: o for o in document["organisations"]}
    if unit is not None:
        return _unit_author(document, duty, unit, organisations, on)
    own = organisations.get(body.id)
    party = own is not None and _is_party(own)
    named = body.id in duty["who"] or body.id in (duty.get("via") or ())
    gathers = body.id in gatherers(duty, organisations)
    counted = _counting(document, duty)
    whole = (named or gathers) and not counted and not (duty.get("window") and not gathers)
    objectives = counted or _all(document)
    if not whole and not counted:
        objectives = _led(document, body.id) or _all(document)
    return Author(
        body.id,
        body.name_vi,
        None,
        party,
        whole,
        tuple(objectives),
        _place(document),
        _superior(document, body.name_vi, party=party),
    )


def _unit_author(
    document: Json, duty: Json, unit: Unit, organisations: dict[str, Json], on: date
) -> Author:
    name = unit.name(on)
    groups = [organisations[n] for n in _groups(duty, organisations)]
    group = next((g for g in groups if LEVEL_OF_KIND.get(g["kind"]) == unit.level), None)
    party = group is not None and _is_party(group)
    if party:
        title = f"{_party_kind(name)} {_bare(name)}"
    elif unit.level in ("commune", "district"):
        title = COMMUNE + _lower(name)
    else:
        title = PREFIX.get(unit.level, "") + _lower(name)
    objectives = _counting(document, duty) or _all(document)
    superior = _superior(document, title, party=True) if party else None
    return Author(
        unit.unit_id, title, unit.unit_id, party, False, tuple(objectives), _bare(name), superior
    )


def _groups(duty: Json, organisations: dict[str, Json]) -> list[str]:
    found: list[str] = []
    queue = list(duty["who"])
    while queue:
        name = queue.pop(0)
        if name not in found:
            found.append(name)
            queue += organisations[name].get("members") or ()
    return found


def _is_party(organisation: Json) -> bool:
    name = organisation["name_vi"].lower().replace("uỷ", "ủy")
    return organisation["kind"] == "party_body" or "thành ủy" in name or "huyện ủy" in name


def _party_kind(name: str) -> str:
    lower = name.lower()
    if lower.startswith("thành phố"):
        return "Thành ủy"
    return "Thị ủy" if lower.startswith("thị xã") else "Huyện ủy"


def _bare(name: str) -> str:
    """`Phường Tân Lập` -> `Tân Lập`."""
    for kind in (
        "thành phố",
        "thị xã",
        "thị trấn",
        "phường",
        "xã",
        "đặc khu",
        "huyện",
        "quận",
        "tỉnh",
    ):
        if name.lower().startswith(f"{kind} "):
            return name[len(kind) + 1 :]
    return name


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _counting(document: Json, duty: Json) -> list[str]:
    """The objectives that count the events that prove the duty; none for duties of reports."""
    if duty["event"] in REPORTS:
        return []
    return [o["id"] for o in document["objectives"] if duty["event"] in types_of(o)]


def _led(document: Json, body: str) -> list[str]:
    for role in ("lead", "direct", "coordinate"):
        found = [o["id"] for o in document["objectives"] if body in (o.get(role) or ())]
        if found:
            return found
    return []


def _all(document: Json) -> list[str]:
    return [o["id"] for o in document["objectives"]]


def _place(document: Json) -> str:
    """The place of the date: the province, of a ward's plan the ward."""
    if document.get("unit_level") in ("ward", "commune"):
        ward = next((w for w in ("phường ", "xã ") if w in document["issuer"]), None)
        if ward:
            return str(document["issuer"]).partition(ward)[2]
    return str(document.get("province", ""))


def _superior(document: Json, name: str, *, party: bool) -> str | None:
    """Who stands above a body, as its head line says; a People's Committee names none."""
    place, ward = _place(document), document.get("unit_level") in ("ward", "commune")
    if name.lower().startswith(("ubnd", "ủy ban nhân dân")):
        return None
    if party:
        return f"Tỉnh ủy {document.get('province', '')}"
    if name.lower().startswith("công an"):
        return f"Công an tỉnh {document.get('province', '')}" if ward else "Bộ Công an"
    if not name.lower().startswith(("sở", "phòng", "trung tâm", "văn phòng", "ban quản lý", "báo")):
        return None
    return f"Ủy ban nhân dân {'phường' if ward else 'tỉnh'} {place}"
