"""The published bodies of streams, chunk by chunk over a real connection."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tests.vectors.read import load
from tests.vectors.ways import NDJSON


@pytest.mark.parametrize("case", load("stream")["cases"], ids=lambda case: case["name"])
async def test_stream(
    service: tuple[FastAPI, httpx.AsyncClient], admin: str, port: int, case: dict[str, Any]
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for chunk in case["chunks_base64"]:
            yield base64.b64decode(chunk)

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        answer = await client.put(
            "/v1/streams/vector",
            params={"acks": "all"},
            content=body(),
            headers={"Authorization": f"Bearer {admin}", "Content-Type": NDJSON},
        )
    lines = [json.loads(line) for line in answer.text.splitlines()]
    told = [line for line in lines if "line" in line]
    assert len(told) == len(case["answers"])
    for found, expected in zip(told, case["answers"], strict=True):
        assert (found["line"], found["status"]) == (expected["line"], expected["status"])
        assert found.get("problem", {}).get("code") == expected.get("code")
    assert case["closing"].items() <= lines[-1].items()
