"""Whatever leaves a sandbox as a file says that it is simulated."""

import io
from collections.abc import Iterator

import openpyxl
import pytest

from services.registry.tables.export import SANDBOX
from tests.registry.conftest import Running


@pytest.fixture
def sandbox(registry: Running) -> Iterator[Running]:
    registry.app.state.registry.settings.sandbox = True
    yield registry
    registry.app.state.registry.settings.sandbox = False


async def test_the_grid(sandbox: Running) -> None:
    answer = await sandbox.client.get(
        "/v1/plans/dak-lak-2026/populations", params={"format": "xlsx"}
    )
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    assert [cell.value for cell in sheet[1]][:2] == ["# sandbox", SANDBOX]


async def test_the_calendar_and_the_nation(sandbox: Running) -> None:
    answer = await sandbox.client.get("/v1/plans/gia-lai-2026/calendar", params={"format": "ics"})
    unfolded = answer.text.replace("\r\n ", "")
    assert f"X-WR-CALNAME:{SANDBOX}" in unfolded
    answer = await sandbox.client.get("/v1/nation")
    assert f"# sandbox,{SANDBOX}" in answer.text
    assert answer.headers["X-Hocvuso-Sandbox"] == "true"
