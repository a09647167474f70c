"""Every route and page of every plan, shipped and stripped, over a log with every type: none fails,
and none blames somebody else."""

import itertools
import re
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from services.registry.app import create_app
from services.registry.parameters import taken
from services.registry.settings import RegistrySettings
from tests.every_type import CATALOGUE, SOURCE
from tests.readers import events
from tests.readers.world import World, bare_plans
from tests.registry.routes import walk

BARE = {plan["id"]: plan["data"]["document"] for plan in bare_plans()}
FORMATS = {
    "/v1/plans/{plan}/table": ("csv", "xlsx"), "/v1/plans/{plan}/calendar": ("ics",),
    "/v1/plans/{plan}/tasks": ("csv", "xlsx"), "/v1/plans/{plan}/populations": ("xlsx",),
    "/v1/nation": ("csv",),
}  # fmt: skip
OTHERWISE = {
    404: {"ranking-not-published", "file-unknown"},
    422: {"level-above-unit", "level-unknown", "debtor-missing", "not-lead", "unit-not-commune"},
}
"""What may be said instead of an answer, by status."""
Asked = tuple[str, dict[str, str]]


def addresses() -> list[APIRoute]:
    settings = RegistrySettings(
        registry_database_url="postgres://unused", kafka_bootstrap_servers="127.0.0.1:1"
    )
    return [
        route
        for route in walk(create_app(settings).routes)
        if isinstance(route, APIRoute) and "GET" in route.methods
    ]


def questions(values: dict[str, tuple[str, ...]], within: str = "") -> list[Asked]:
    """Every address that holds `within` with every choice of values, in every format, for every level."""
    found: list[Asked] = []
    for route in addresses():
        names = list(route.param_convertors)
        if not set(names) <= values.keys() or within not in route.path:
            continue
        parameters = taken(route) or set()
        asked: dict[str, str] = {
            n: values[n][0] for n in ("objective", "unit", "source", "id") if n in parameters
        }
        if "against" in parameters:
            asked["against"] = events.PLAN
        more: list[dict[str, str]] = [{}]
        if "/documents/" in route.path:  # of everybody who owes it
            asked.pop("unit", None)
        more += [{"format": name} for name in FORMATS.get(route.path, ())]
        more += [{"level": name} for name in ("commune", "hamlet") if "level" in parameters]
        for chosen in itertools.product(*(values[name] for name in names)):
            path = route.path.format(**dict(zip(names, chosen, strict=True)))
            found += [(path, asked | one) for one in more]
    return found


def check(world: World, asked: list[Asked]) -> None:
    wrong = []
    for path, params in asked:
        answer = world.get(path, **params)
        if answer.status_code == 200 or (path == "/week" and answer.status_code == 303):
            continue
        if _leads_to_a_choice(world, path, answer):
            continue
        allowed = OTHERWISE.get(answer.status_code, set())
        if _code(answer) not in allowed:
            wrong.append(f"{path} {params}: {answer.status_code} {answer.text[:200]}")
    assert not wrong, "\n".join(wrong)


def _leads_to_a_choice(world: World, path: str, answer: httpx.Response) -> bool:
    """Whether the page of a report that several owe leads to where each one's is chosen."""
    plan, within, rest = path.partition("/documents/")
    place = answer.headers.get("location", "")
    if answer.status_code != 303 or path.startswith("/v1/") or not within:
        return False
    report = rest.removesuffix("/comparison")
    page = world.get(place)
    return (
        place == f"{plan}/reports/{report}"
        and page.status_code == 200
        and f"{plan}/documents/{report}?" in page.text
    )


def _code(answer: httpx.Response) -> Any:
    if "json" in answer.headers.get("content-type", ""):
        return answer.json()["code"]
    shown = re.search(r"Mã lỗi: <code>([a-z-]+)</code>", answer.text)
    return shown[1] if shown else "page"


def test_a_shipped_plan_over_all_of_it(world: World) -> None:
    entered = [n for n in CATALOGUE if world.get(f"/enter/{n}").status_code == 200]
    assert len(entered) > 45
    values = {
        "plan": (events.PLAN,), "code": tuple(u.partition("@")[0] for u in events.UNITS.values()),
        "objective": ("adults-certified-vneid", "commune-classes", "pupils-digital-skills"),
        "obligation": ("final-report-2026",), "period": ("once",), "type": tuple(entered),
        "task": ("t-10-closing-commune",), "unit": ("24133",), "source": (SOURCE,),
        "id": ("report.returned-maximal",), "sha256": ("0" * 64,),
    }  # fmt: skip
    check(world, questions(values))


@pytest.mark.parametrize("name", sorted(BARE))
def test_a_stripped_plan(world: World, name: str) -> None:
    plan = BARE[name]
    owed = world.json(f"/v1/plans/{name}/reports", limit=1)["reports"][0]
    objectives = tuple(o["id"] for o in plan["objectives"])
    values = {
        "plan": (name,), "code": (plan["unit"],), "objective": objectives[::9],
        "task": tuple(t["id"] for t in plan["tasks"][::15]), "unit": (plan["unit"],),
        "obligation": (owed["obligation"],), "period": (owed["period"],),
        "source": (SOURCE,), "id": (name,), "sha256": ("0" * 64,),
    }  # fmt: skip
    asked = questions(values, "{plan}")
    check(world, asked)
    assert len(asked) > 60
