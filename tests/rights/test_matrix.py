"""Every route, method, topic and page of the three services is classified in `access.yaml`."""

import pytest

from services.activities.app import create_app as activities
from services.activities.intake import acls
from services.activities.intake.model import Partner
from services.metrics.app import create_app as metrics
from services.registry.app import create_app as registry
from shared.contracts import topics
from tests.rights.matrix import CLASSES, PAGE, ROUTES, TOPICS, page
from tests.rights.placed import PLACED, found_routes


@pytest.mark.security("V8.1.1")
def test_the_page_is_that_of_the_classification() -> None:
    assert PAGE.read_text() == page(), "make generate"
    assert {kind for classes in ROUTES.values() for kind in classes} <= set(CLASSES)
    listed = [(s, r) for s, classes in ROUTES.items() for rs in classes.values() for r in rs]
    assert len(listed) == len(set(listed)), "a route has one class"


@pytest.mark.security("API9")
def test_every_route_is_classified() -> None:
    apps = {"activities": activities(), "metrics": metrics(), "registry": registry()}
    for service, app in apps.items():
        there = set(found_routes(app))
        placed = {route for s, route in PLACED if s == service}
        # HEAD answers where GET does, without the body.
        heads = {route for route in there if route.startswith("HEAD ")} - placed
        assert all(route.replace("HEAD ", "GET ") in placed for route in heads)
        assert there - heads - placed == set(), f"classify in access.yaml: {service}"
        assert placed - there == set(), f"no such route any more: {service}"


@pytest.mark.security("API1")
def test_every_topic_is_classified_and_partners_get_their_own_only() -> None:
    assert set(TOPICS) == {
        topics.LOG, topics.PROGRESS, topics.intake("{partner}"), topics.receipts("{partner}"),
    }  # fmt: skip
    partner = Partner(
        "vnpt", frozenset({"telecom"}), None, None, None, None, "errors", 3, 72, None, True, 1, 1
    )
    rules = {(r.name, r.operations) for r in acls.rules(partner) if r.resource == "topic"}
    assert rules == {
        (topics.intake("vnpt"), ("Write", "Describe")),
        (topics.receipts("vnpt"), ("Read", "Describe")),
    }
    for name, one in TOPICS.items():
        assert ("the partner" in one["reads"]) == (name == topics.receipts("{partner}"))
        assert ("the partner" in one["writes"]) == (name == topics.intake("{partner}"))
