"""`hocvuso plans` against a running registry: new, edit, validate, diff, load; the table shows it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from click.testing import Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner

from services.registry import cli
from tests.registry import fakes
from tests.registry.conftest import Running
from tests.registry.pages import address as address

RUN = CliRunner()
CHILD = "dak-lak-24133-2026"


async def invoke(*arguments: str) -> Result:
    return await asyncio.to_thread(RUN.invoke, cli.app, ["plans", *arguments])


@pytest.fixture
async def shell(
    registry: Running,
    address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Path]:
    """The environment of an administrator; the fake activities listen on a port of their own."""

    async def forward(request: Request) -> Response:
        transport = registry.activities.transport()
        asked = httpx.Request(
            request.method, str(request.url), headers=request.headers.raw,
            content=await request.body(),
        )  # fmt: skip
        answer = await transport.handle_async_request(asked)
        return Response(await answer.aread(), answer.status_code, media_type="application/json")

    app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    key = tmp_path / "admin.key"
    key.write_text(fakes.KEY)
    monkeypatch.setenv("HOCVUSO_REGISTRY_URL", address)
    monkeypatch.setenv("HOCVUSO_ACTIVITIES_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("HOCVUSO_ADMIN_KEY_FILE", str(key))
    yield tmp_path
    server.should_exit = True
    await serving


def edit(file: Path, **more: Any) -> None:
    plan = yaml.safe_load(file.read_text())
    objective = next(o for o in plan["objectives"] if o["id"] == "adults-certified-vneid")
    objective["target"]["value"] = more.pop("percent")
    plan |= more
    file.write_text(yaml.safe_dump(plan, allow_unicode=True, sort_keys=False))


async def test_a_communes_plan_from_its_provinces(registry: Running, shell: Path) -> None:
    """new -> edit -> validate -> diff -> load -> table, and the same once more as version 2."""
    source = str(fakes.PLANS / "dak-lak-2026.yaml")
    made = await invoke(
        "new", "--from", source, "--year", "2026", "--unit", "24133@2025", "--folder", str(shell)
    )
    assert made.exit_code == 0, made.output
    assert "/issuer" in made.output and "/objectives/adults-certified-vneid" in made.output
    file = shell / f"{CHILD}.yaml"
    edit(file, percent=95, issuer="UBND phường Buôn Ma Thuột")
    assert (await invoke("validate", str(file))).exit_code == 0
    diff = await invoke("diff", str(file))
    assert (diff.exit_code, diff.output.strip()) == (1, f"{CHILD} is a new plan")
    inherited = await invoke("diff", str(file), "--against", "dak-lak-2026")
    assert "~ unit: 66@2025 -> 24133@2025" in inherited.output, inherited.output
    assert "objectives[adults-certified-vneid].target.value: 80 -> 95" in inherited.output
    loaded = await invoke("load", str(file))
    assert loaded.exit_code == 0 and "1 new or changed" in loaded.output, loaded.output
    await registry.settle()
    assert (await invoke("diff", str(file))).exit_code == 0
    assert "0 new or changed" in (await invoke("load", str(file))).output

    client = registry.client
    plan = (await client.get(f"/v1/plans/{CHILD}")).json()
    assert (plan["parent_plan"], plan["version"]) == ("dak-lak-2026", 1)
    above = (await client.get("/v1/plans/dak-lak-2026")).json()
    assert CHILD in above["child_plans"]
    table = (await client.get(f"/v1/plans/{CHILD}/table")).json()
    assert (table["unit_id"], table["level"]) == ("24133@2025", "hamlet")
    headings = {o["id"]: o["target"]["value"] for o in table["objectives"]}
    assert headings["adults-certified-vneid"] == 95 and len(headings) == 25
    outside = await client.get(f"/v1/plans/{CHILD}/table", params={"unit": "24154"})
    assert outside.json()["code"] == "unit-outside-plan"
    page = await client.get(f"/plans/{CHILD}")
    assert page.status_code == 200 and "UBND phường Buôn Ma Thuột" in page.text
    told = (await client.get(f"/v1/plans/{CHILD}/difference")).json()
    assert told["against"] == {"plan": "dak-lak-2026", "version": 1}
    assert "~ objectives[adults-certified-vneid].target.value: 80 -> 95" in told["lines"]

    edit(file, percent=90)
    diff = await invoke("diff", str(file))
    assert diff.exit_code == 1
    assert "~ objectives[adults-certified-vneid].target.value: 95 -> 90" in diff.output
    assert (await invoke("load", str(file))).exit_code == 0
    await registry.settle()
    plan = (await client.get(f"/v1/plans/{CHILD}")).json()
    assert [v["version"] for v in plan["versions"]] == [1, 2]
    old = (await client.get(f"/v1/plans/{CHILD}/published", params={"version": 1})).json()
    assert {o["id"]: o["target"]["value"] for o in old["document"]["objectives"]}[
        "adults-certified-vneid"
    ] == 95
    told = (await client.get(f"/v1/plans/{CHILD}/difference", params={"version": 1})).json()
    assert told["lines"] == ["~ objectives[adults-certified-vneid].target.value: 95 -> 90"]

    amendment = {
        "plan": CHILD, "objective": "adults-certified-vneid", "valid_from": "2026-11-01",
        "changes": {"target": {"value": 85}}, "document_ref": "9/KH-UBND",
    }  # fmt: skip
    await registry.happen(
        {
            "id": "amend-child", "source": "https://a.example", "subject": "24133@2025",
            "type": "vn.hocvuso.plan.amended", "time": "2026-11-01T00:00:00+07:00",
            "data": amendment,
        }
    )  # fmt: skip
    plan = (await client.get(f"/v1/plans/{CHILD}")).json()
    assert [a["document_ref"] for a in plan["amendments"]] == ["9/KH-UBND"]
    table = (await client.get(f"/v1/plans/{CHILD}/table")).json()
    assert table["objectives"][0]["id"] and 85 in [
        o["target"]["value"] for o in table["objectives"]
    ]
    told = (await client.get(f"/v1/plans/{CHILD}/difference")).json()
    assert "~ objectives[adults-certified-vneid].target.value: 80 -> 85" in told["lines"]
    # The published version is what `diff` compares a file with: an amendment is no edit of it.
    assert (await invoke("diff", str(file))).exit_code == 0

    for event in [e for e in registry.activities.posted if e["data"].get("plan") == CHILD]:
        revokes = {"source": event["source"], "id": event["id"]}
        await registry.happen(
            {
                "id": f"revoked-{event['id']}", "source": "https://a.example",
                "type": "vn.hocvuso.event.revoked", "subject": "24133@2025",
                "time": "2026-11-21T00:00:00+07:00",
                "data": {"revokes": revokes, "reason": "withdrawn"},
            }
        )  # fmt: skip
    assert (await client.get(f"/v1/plans/{CHILD}")).json()["code"] == "plan-unknown"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["validate", "NONE.yaml"], "No such file"),
        (["validate", "."], "directory"),
        (["validate", "LATIN"], ":2: not UTF-8"),
        (["validate", "BROKEN"], ":3: : "),
        (["diff", "NONE.yaml"], "No such file"),
        (["load", "NONE.yaml"], "cannot be read"),
        (["load", "--folder", "EMPTY"], "has no plan"),
        (["new", "--from", "NONE.yaml", "--year", "2027"], "No such file"),
        (["new", "--from", "DL", "--year", "27"], "--year"),
        (["new", "--from", "DL", "--year", "2027", "--unit", "24133", "--folder", "EMPTY"], "unit"),
        (["new", "--from", "DL", "--year", "2027", "--folder", "NOWHERE"], "--folder"),
        (["diff", "DL", "--against", "no-such-plan"], "registry has no plan"),
    ],
)
async def test_what_is_wrong_is_said(shell: Path, arguments: list[str], says: str) -> None:
    (shell / "EMPTY").mkdir()
    (shell / "LATIN").write_bytes(b"id: x\ntitle_vi: k\xe9\n")
    (shell / "BROKEN").write_text("id: x\ntitle_vi: [\n")
    named = {name: str(shell / name) for name in ("EMPTY", "LATIN", "BROKEN", "NOWHERE")}
    named["DL"] = str(fakes.PLANS / "dak-lak-2026.yaml")
    result = await invoke(*(named.get(argument, argument) for argument in arguments))
    assert result.exit_code != 0 and says in result.output, result.output
    assert "Traceback" not in result.output
    assert list((shell / "EMPTY").iterdir()) == []


async def test_without_registry_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOCVUSO_REGISTRY_URL", "http://127.0.0.1:1")
    result = await invoke("diff", str(fakes.PLANS / "dak-lak-2026.yaml"))
    assert result.exit_code == 1 and "Fix: start it" in result.output
