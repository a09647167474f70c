"""One unit's card, and the nation line by line."""

import csv
import io

from services.registry.tables.nation import PREFETCH, _lines
from tests.registry.conftest import Running


async def test_the_card_has_every_objective(registry: Running) -> None:
    answer = await registry.client.get("/v1/plans/dak-lak-2026/units/24133")
    card = answer.json()
    assert card["unit"]["unit_id"] == "24133@2025"
    assert len(card["objectives"]) == 25
    table = (await registry.client.get("/v1/plans/dak-lak-2026/table")).json()
    row = next(r for r in table["rows"] if r["unit"] == "24133")
    for objective in card["objectives"]:
        assert objective["cell"] == row["cells"].get(objective["id"])
    same = await registry.client.get(
        "/v1/plans/dak-lak-2026/units/24133", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert same.status_code == 304
    bad = await registry.client.get("/v1/plans/dak-lak-2026/units/26368")
    assert bad.json()["code"] == "unit-outside-plan"


async def test_every_commune_of_the_country(registry: Running) -> None:
    answer = await registry.client.get("/v1/nation")
    assert answer.status_code == 200, answer.text
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    head = next(n for n, line in enumerate(lines) if line[0] == "province")
    rows = [dict(zip(lines[head], line, strict=True)) for line in lines[head + 1 :]]
    units = (await registry.client.get("/v1/units", params={"level": "commune", "limit": 1})).json()
    assert len({row["unit_id"] for row in rows}) == units["total"] > 3300
    cell = next(
        r
        for r in rows
        if (r["unit_id"], r["objective"]) == ("24133@2025", "adults-certified-vneid")
    )
    table = (await registry.client.get("/v1/plans/dak-lak-2026/table")).json()
    shown = next(r for r in table["rows"] if r["unit"] == "24133")["cells"][
        "adults-certified-vneid"
    ]
    assert cell["value"] == str(shown["value"])
    assert cell["province"] == "66@2025"
    outside = [r for r in rows if not r["plan"]]
    assert outside and all(r["value"] == "" for r in outside)


async def test_it_comes_in_small_parts(registry: Running) -> None:
    """Memory does not grow with the country: no part is larger than one fetch of the cursor."""
    state = registry.app.state.registry
    parts = [part async for part in _lines(state, "commune", state.clock.today())]
    cells = await registry.database.fetchval("SELECT count(*) FROM indicators.cells")
    assert len(parts) >= cells // PREFETCH
    assert all(part.count(b"\n") <= PREFETCH for part in parts[:-1])
