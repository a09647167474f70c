"""The reference of each API is complete, and nothing of it comes from elsewhere or is a script."""

import re
from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from services.activities.app import create_app as activities
from services.activities.ingest import openapi
from services.metrics.app import create_app as metrics
from services.registry.app import create_app as registry
from services.registry.web.render import POLICY
from shared.contracts.definitions import Catalogue


@pytest.mark.parametrize("create", [activities, metrics, registry])
async def test_the_reference(create: Callable[[], FastAPI]) -> None:
    app = create()
    if create is activities:
        openapi.install(app, Catalogue.load())
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://x"
    ) as client:
        page = await client.get("/docs")
        assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
        assert page.headers["content-security-policy"] == POLICY["Content-Security-Policy"]
        assert "<script" not in page.text and "style=" not in page.text
        for address in re.findall(r'(?:href|src)="([^"]*)"', page.text):
            assert address.startswith(("#", "/docs/reference.css", "/openapi.json")), address
        anchors = set(re.findall(r'id="([^"]+)"', page.text))
        assert {a[1:] for a in re.findall(r'href="(#[^"]+)"', page.text)} <= anchors
        document = (await client.get("/openapi.json")).json()
        for path in document["paths"]:
            assert f"<code>{path}</code>" in page.text.replace("&#39;", "'"), path
        for name in document["components"]["schemas"]:
            assert f'id="schema-{name}"' in page.text
        assert (
            (await client.get("/docs/reference.css")).headers["content-type"].startswith("text/css")
        )
        for gone in ("/redoc", "/docs/oauth2-redirect"):
            # Registry has not begun here, and says so for whatever needs it.
            assert (await client.get(gone)).status_code in (404, 503)
