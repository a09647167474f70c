"""The published story, on every way in: the same answers."""

import json
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from services.activities.keys.store import ensure_admin_key
from tests.vectors.read import load
from tests.vectors.story import check
from tests.vectors.ways import HTTP

STORY = load("story")


async def keys_of(app: FastAPI, client: httpx.AsyncClient, folder: Path) -> dict[str, str]:
    async with app.state.pool.acquire() as connection:
        await ensure_admin_key(connection, folder / "admin.key")
    made = {"administrator": (folder / "admin.key").read_text().strip()}
    for name, rights in STORY["keys"].items():
        if name not in made:
            answer = await client.post(
                "/v1/keys",
                json={"name": name, **rights},
                headers={"Authorization": f"Bearer {made['administrator']}"},
            )
            made[name] = answer.json()["key"]
    return made


@pytest.mark.parametrize("way", HTTP)
async def test_story(service: tuple[FastAPI, httpx.AsyncClient], tmp_path: Path, way: str) -> None:
    app, client = service
    keys = await keys_of(app, client, tmp_path)
    positions: dict[str, int | None] = {}
    for step in STORY["steps"]:
        raw = json.dumps(step["event"], ensure_ascii=False).encode()
        answer = await HTTP[way](client, keys[step["by"]], raw)
        check(step, answer, positions)
        positions[step["name"]] = answer.position
