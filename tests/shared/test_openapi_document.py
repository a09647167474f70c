"""Every operation of every service says whether it takes a key, and how it refuses."""

from typing import Any

import pytest

from services.activities.app import create_app as activities
from services.metrics.app import create_app as metrics
from services.registry.app import create_app as registry


@pytest.mark.parametrize("make", [activities, metrics, registry])
def test_every_operation_says_what_it_takes(make: Any) -> None:
    document = make().openapi()
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert "security" in operation, (method, path)
            problem = operation["responses"]["default"]["content"]["application/problem+json"]
            assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert "HTTPValidationError" not in str(operation)
            for status, answer in operation["responses"].items():
                described = answer.get("content", {}).get("application/json")
                if status.startswith("2") and described is not None:
                    assert described["schema"], (method, path, status)
            assert (operation["security"] == []) == (path in NOBODY)


NOBODY = {
    "/health/live", "/health/ready", "/v1/instance", "/v1/types",
    "/v1/schemas/{type_name}/{version}", "/v1/invitations/accept", "/xapi/about",
    "/xapi/mapping", "/plans/plan.schema.json",
}  # fmt: skip


def test_what_is_public_may_be_read_with_and_without_a_key() -> None:
    document = registry().openapi()
    wanted = document["paths"]["/v1/plans/{plan}/table"]["get"]["security"]
    assert wanted == [{"HTTPBearer": []}, {}]
    assert document["paths"]["/v1/units/changes"]["post"]["security"] == [{"HTTPBearer": []}]


def test_a_name_of_another_service_is_not_taken_over() -> None:
    """Metrics and activities each have a `Page`, and tests make both in one process."""
    theirs = metrics().openapi()["components"]["schemas"]["Page"]
    ours = activities().openapi()["components"]["schemas"]["Page"]
    assert ours["required"] == ["items", "next"] and "plan" in theirs["required"]
