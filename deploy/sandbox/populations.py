"""Hamlets and populations of a course: what authorities declare so that there are denominators.

The numbers belong to the simulated people, not to the real ones, so that targets are in reach.
"""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

from deploy.sandbox.changes import Posting
from deploy.sandbox.people import People
from deploy.sandbox.places import NEW_TREE, Commune, Place
from deploy.sandbox.scene import Json, Memory

VIETNAM = timezone(timedelta(hours=7))
ADMINISTRATOR = "administrator"
SOURCE = "https://sandbox.example"
_GROUPS = {
    "adults": ("adult",),
    "civil_servants": ("civil_servant",),
    "civil_servants_and_employees": ("civil_servant", "agency_employee"),
    "workers_enterprises_coops": ("worker",),
    "cnscd_members": ("cnscd_member",),
}


def definitions(
    place: Place,
    people: dict[str, People],
    memories: dict[str, Memory],
    rng: random.Random,
    course: tuple[str, int, int, date],
) -> list[Posting]:
    """The definition events, in the order in which they must be posted."""
    plan, seed, events, until = course
    source = f"{SOURCE}/populations/{plan}/s{seed}-n{events}-{until.isoformat()}"
    found = [_posting(event) for c in place.communes for event in _hamlets(c)]
    named = sorted(_named(place.plan))
    whole: dict[str, int] = {}
    # Where the plan's unit declares nothing itself (a former province), every commune must.
    declares = place.plan["unit"] == f"{place.root}@2025" and place.root not in people
    for commune in place.communes:
        generous = rng.choice([1.0, 1.0, 1.15, 1.4])
        numbers = _numbers(commune, people[commune.code], memories[commune.code], generous)
        silent = rng.choice(named) if rng.random() < 0.05 and declares else ""
        for name in named:
            number = numbers.get(name)
            if number is None:
                continue
            whole[name] = whole.get(name, 0) + number
            if name == silent or (name == "hamlets" and not commune.new_hamlets):
                continue
            found.append(_posting(_declared(source, commune.code, name, number, "2026-01-01")))
            if rng.random() < 0.02:
                later = _declared(source, commune.code, name, number + 7, "2026-05-01")
                found.append(_posting(later))
    if declares:
        whole |= {"organisations": len(place.communes) + 30, "enterprises_coops": 200}
        for name in named:
            if name in whole and name != "hamlets":
                number = whole[name]
                found.append(_posting(_declared(source, place.root, name, number, "2026-01-01")))
    return found


def _named(plan: Json) -> set[str]:
    """The populations that the plan's objectives are a share of."""
    found = set()
    for objective in plan["objectives"]:
        over = objective.get("measure", {}).get("over", {})
        found |= {over["population"]} if "population" in over else set()
        found |= {"hamlets"} if over.get("units") == "hamlet" else set()
    return found


def _numbers(commune: Commune, people: People, memory: Memory, generous: float) -> dict[str, int]:
    found = {name: int(people.count(*groups) * generous) for name, groups in _GROUPS.items()}
    schools = {
        name: sum(n for school, n in memory.pupils.items() if school[:2] == name)
        for name in ("th", "cd")
    }
    found["pupils_primary_up"] = schools["th"] + 20
    found["pupils_and_students"] = found["secondary_pupils_and_students"] = (
        sum(schools.values()) + 20
    )
    for name in ("residents", "residents_15_plus", "smartphone_users"):
        found[name] = int(len(people.all) * generous)
    found["citizens_16_plus"] = int(sum(p.age >= 16 for p in people.all) * generous)
    found["households"] = 4 + len(people.all) // 3
    found["household_businesses"] = 30
    found["mentors"] = 2
    found["hamlets"] = len(commune.hamlets)
    return found


def _hamlets(commune: Commune) -> Iterator[Json]:
    for code, name in commune.new_hamlets:
        data = {
            "unit_id": f"{code}@2025",
            "code": code,
            "era": "2025",
            "name_vi": name,
            "kind": "hamlet",
            "parent": f"{commune.code}@2025",
            "from": NEW_TREE,
            "source_ref": "mô phỏng",
        }
        yield _event(
            f"{SOURCE}/units", f"unit-{code}", "unit.established", f"{code}@2025", NEW_TREE, data
        )


def _declared(source: str, code: str, name: str, number: int, as_of: str) -> Json:
    data: Json = {"population": name, "number": number, "as_of": as_of, "authority": "Mô phỏng"}
    event_id = f"population-{code}-{name}-{as_of}"
    return _event(source, event_id, "population.declared", code, as_of, data)


def _event(source: str, event_id: str, name: str, subject: str, day: str, data: Json) -> Json:
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": f"vn.hocvuso.{name}",
        "subject": subject,
        "time": f"{day}T00:00:00+07:00",
        "data": data,
    }


def _posting(event: Json) -> Posting:
    day = datetime.fromisoformat(event["time"]).replace(tzinfo=VIETNAM)
    return Posting(event, ADMINISTRATOR, day, 0)
