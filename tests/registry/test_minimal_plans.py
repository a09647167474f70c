"""Every shipped plan with nothing but what a plan must say: works on every route and page."""

from typing import Any

import pytest
from fastapi.routing import APIRoute

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import why_plan_refused
from tests.plans.test_five_plans import PLANS
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.test_every_route import walk

Json = dict[str, Any]
TOP = ("version", "title_vi", "issuer", "unit", "period")
ITEMS = {
    "organisations": ("id", "name_vi", "kind", "group"),
    "objectives": ("id", "text_vi", "target", "lead", "deadline", "period", "counts_from",
                   "last_day", "measure", "not_counted", "recurrence", "from_date",
                   "cumulative_from"),
    "tasks": ("id", "kind", "title_vi", "lead", "deadline"),
    "reporting": ("id", "kind", "who", "cadence", "event", "text_vi"),
}  # fmt: skip
AVAILABLE = (503,)
"""metrics is not there in these tests."""


def stripped(document: Json) -> Json:
    """What the schema requires, and what that needs to be consistent."""
    found: Json = {name: document[name] for name in TOP} | {"id": f"bare-{document['id']}"}
    for section, names in ITEMS.items():
        items = [{n: item[n] for n in names if n in item} for item in document[section]]
        found[section] = items
    for objective in found["objectives"]:
        if isinstance(objective["deadline"], str):
            objective["deadline"] = objective["last_day"]
    return found


@pytest.mark.parametrize("name", PLANS)
def test_a_stripped_plan_is_a_plan(name: str) -> None:
    plan = stripped(PLANS[name].data)
    assert why_plan_refused(plan["id"], plan, Catalogue.load()) is None


@pytest.mark.parametrize("name", PLANS)
async def test_every_route_and_page_of_a_stripped_plan(registry: Running, name: str) -> None:
    plan = stripped(PLANS[name].data)
    data = {"plan": plan["id"], "version": plan["version"], "document": plan}
    await registry.happen(
        {
            "specversion": "1.0",
            "id": plan["id"],
            "source": "https://hocvuso.example/registry",
            "type": "vn.hocvuso.plan.published",
            "subject": plan["unit"],
            "time": "2026-06-01T00:00:00+07:00",
            "data": data,
        }
    )
    values = {
        "plan": plan["id"],
        "code": plan["unit"],
        "objective": plan["objectives"][0]["id"],
        "obligation": plan["reporting"][0]["id"],
        "period": "2026-06",
    }
    asked = 0
    for route in walk(registry.app.routes):
        if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()):
            continue
        if "{plan}" not in route.path or not set(route.param_convertors) <= values.keys():
            continue
        address = route.path.format(**values)
        for query in ("", "?format=ics", "?format=xlsx", "?level=province"):
            headers = {} if address.startswith("/v1/") else {"Accept": "text/html"}
            answer = await registry.client.get(address + query, headers=headers)
            assert answer.status_code < 500 or answer.status_code in AVAILABLE, (
                address + query,
                answer.text[:500],
            )
            asked += 1
    assert asked > 60, fakes.TODAY
