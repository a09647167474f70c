"""A generated client reads a table and gets a typed problem."""

from pathlib import Path

from tests.generated import generated_client, part, signed_in
from tests.registry import fakes
from tests.registry.conftest import Running


async def test_it_reads_a_table(registry: Running, tmp_path: Path) -> None:
    document = registry.app.openapi()
    with generated_client(document, tmp_path, "registry_client") as package:
        show = part(package, "api.tables.show_table_v1_plans_plan_table_get")
        models = part(package, "models")
        client = signed_in(package, registry.client, fakes.KEY)
        found = await show.asyncio_detailed("dak-lak-2026", client=client, level="commune")
        assert (found.status_code, type(found.parsed)) == (200, models.Table)
        assert (found.parsed.plan, found.parsed.position) == ("dak-lak-2026", 91234)
        row = next(row for row in found.parsed.rows if row.unit_id == "24133@2025")
        cell = row.cells["adults-certified-vneid"]
        assert isinstance(cell, models.Cell) and cell.denominator

        refused = await show.asyncio_detailed("no-plan", client=client)
        assert (refused.status_code, type(refused.parsed)) == (404, models.Problem)
        assert refused.parsed.code == "plan-unknown"
