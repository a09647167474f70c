"""From the template of every event type into the log: its example and a row with every field."""

import csv
from pathlib import Path
from typing import Any

import openpyxl

from hocvuso_cli.send.columns import flatten, layout
from hocvuso_cli.send.template import fill, template_columns
from tests.send.conftest import SOURCE, Run, Sheet, logged
from tests.send.values import CATALOGUE, SUBJECTS, WHOLE, full


def row_of(name: str, data: dict[str, Any]) -> list[Any]:
    """The cells that a user would write below the example."""
    values = {**flatten(layout(name).columns, data), "time": "30/06/2026 10:00"}
    values["subject"] = SUBJECTS.get(name, "24133")
    values["id"] = "0001-goc" if name == "citizen.certified" else None
    return fill(template_columns(layout(name)), values)


def as_stored(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What of the data is not pseudonymised, and so must be in the log as it was written."""
    hidden = {identity.name for identity in CATALOGUE[name].identities}
    return {key: value for key, value in data.items() if key not in hidden}


async def test_every_type_from_its_template_into_the_log(
    service: Any, run: Run, tmp_path: Path
) -> None:
    # An amendment is of a plan that is there.
    for name in sorted(CATALOGUE, key=lambda name: name == "plan.amended"):
        # What names other events can have no example that is true here.
        alone = name in WHOLE or name.startswith("unit.") or name == "citizen.certified"
        told = [full(name)] if alone else [full(name), CATALOGUE[name].examples[0]]
        rows = [row_of(name, data) for data in told]

        file = tmp_path / f"{name}.xlsx"
        made = await run("--template", name, "--out", file)
        assert made.exit_code == 0, made.output
        book = openpyxl.load_workbook(file)
        for row in rows:
            book.worksheets[0].append(row)
        book.save(file)
        sent = await run(file, "--source", SOURCE)
        results = Sheet.read(tmp_path / f"{name}.results.xlsx")
        assert sent.exit_code == 0, (name, sent.output, results.column("result.problem"))
        assert results.column("result.status") == ["example"] + ["accepted"] * len(rows), name

        kept = await logged(service, name)
        for data, event in zip(told, kept[-len(rows) :], strict=True):
            stored = {k: v for k, v in event["data"].items() if not k.endswith("_ref") or k in data}
            assert stored == as_stored(name, data), name

        # The same rows by way of a CSV are the same events.
        csv_file = tmp_path / f"{name}.csv"
        await run("--template", name, "--out", csv_file)
        with csv_file.open("a", encoding="utf-8", newline="") as opened:
            csv.writer(opened).writerows([["" if v is None else v for v in row] for row in rows])
        again = await run(csv_file, "--type", name, "--source", SOURCE)
        assert f"accepted 0, duplicate {len(rows)}, rejected 0" in again.output, (
            name, again.output, (tmp_path / f"{name}.results.csv").read_text("utf-8-sig"),
        )  # fmt: skip
    assert len(CATALOGUE) >= 63
