"""The OpenAPI document keeps its word: its examples are executed, the answers match its schemas."""

import json
from typing import Any

import httpx
import jsonschema_rs
import pytest
from fastapi import FastAPI

from shared.contracts.definitions import Catalogue
from tests.activities.posting import send

Service = tuple[FastAPI, httpx.AsyncClient]
Shared = tuple[FastAPI, httpx.AsyncClient, str]
POST = ("/v1/events", "post")


def resolved(
    document: dict[str, Any], schema: dict[str, Any]
) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def answer_schema(document: dict[str, Any], answer: httpx.Response) -> dict[str, Any]:
    described = document["paths"][POST[0]][POST[1]]["responses"][str(answer.status_code)]
    kind = answer.headers["content-type"].partition(";")[0]
    return dict(described["content"][kind]["schema"])


@pytest.mark.parametrize("name", list(Catalogue.load()))
async def test_the_example_of_every_type_is_taken(shared_service: Shared, name: str) -> None:
    app, client, admin = shared_service
    document = app.openapi()
    content = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    body = content["application/cloudevents+json"]["examples"][name]["value"]
    assert resolved(document, {"$ref": f"#/components/schemas/event.{name}"}).is_valid(body)
    answer = await client.post(
        "/v1/events",
        params={"dry_run": "true"},
        json=body,
        headers={
            "Authorization": f"Bearer {admin}",
            "Content-Type": "application/cloudevents+json",
        },
    )
    resolved(document, answer_schema(document, answer)).validate(answer.json())
    # What an example refers to is not in an empty log; that is all that may be wrong with it.
    assert answer.status_code == 200 or answer.json()["code"] in {
        "original-unknown", "unit-unknown", "unit-parent-unknown", "unit-exists", "plan-unknown",
    }, answer.text  # fmt: skip


async def test_every_kind_of_answer_is_described(service: Service, admin: str) -> None:
    app, client = service
    document = app.openapi()
    good = document["paths"]["/v1/events"]["post"]["requestBody"]["content"]
    one = good["application/cloudevents+json"]["examples"]["citizen.certified"]["value"]
    two = good["application/cloudevents-batch+json"]["examples"]["two"]["value"]
    seen = set()
    for body, kind, key in (
        (json.dumps(one).encode(), "application/cloudevents+json", admin),
        (json.dumps(one).encode(), "application/cloudevents+json", admin),
        (json.dumps({**one, "subject": "66"}).encode(), "application/cloudevents+json", admin),
        (json.dumps({**one, "id": "x", "subject": "1"}).encode(), "application/cloudevents+json", admin),
        (json.dumps(two).encode(), "application/cloudevents-batch+json", admin),
        (b"{", "application/cloudevents+json", admin),
        (b"x" * 300_000, "application/cloudevents+json", admin),
        (b"{}", "text/plain", admin),
        (b"{}", "application/cloudevents+json", "hv_nobody_nothing"),
    ):  # fmt: skip
        answer = await client.post(
            "/v1/events",
            content=body,
            headers={"Authorization": f"Bearer {key}", "Content-Type": kind},
        )
        resolved(document, answer_schema(document, answer)).validate(answer.json())
        seen.add(answer.status_code)
    assert seen == {200, 201, 400, 401, 409, 413, 415, 422}


async def test_every_path_describes_its_answers(service: Service, admin: str) -> None:
    """No route is left without a summary, and every problem names the same schema."""
    document = service[0].openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description") or operation.get("summary"), (method, path)
            assert operation["responses"], (method, path)
    assert (await send(service[1], admin, b"[]"))["results"] == []
