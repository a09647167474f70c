"""Every shipped plan with nothing but what a plan must say: works on every route and page."""

import pytest
from fastapi.routing import APIRoute

from shared.contracts.definitions import Catalogue
from shared.domain.plan_files.document import why_plan_refused
from tests.plans.files import PLANS
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.minimal import stripped
from tests.registry.routes import walk

AVAILABLE = (503,)
"""metrics is not there in these tests."""


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
