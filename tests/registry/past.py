"""Metrics that knows of past days, for the modules whose reports are about them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests.registry import fakes
from tests.registry.conftest import Running


@pytest.fixture(scope="module", autouse=True)
async def past(registry: Running) -> AsyncIterator[None]:
    """Metrics says of every day what the current cells say."""
    rows = await registry.database.fetch("SELECT * FROM indicators.cells")
    by_plan: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        cell = {k: row[k] for k in ("unit_id", "objective", "value", "denominator", "ratio", "met", "met_on_time", "status", "basis", "flags", "target_unit", "comparator", "required")}  # fmt: skip
        cell |= {
            "target": float(row["target"]) if row["target"] is not None else None,
            "required_per_week": None,
            "last_day": row["last_day"] and row["last_day"].isoformat(),
            "bucket": json.loads(row["bucket"]) if row["bucket"] else None,
            "status_bucket": json.loads(row["status_bucket"]) if row["status_bucket"] else None,
        }
        by_plan.setdefault(row["plan"], []).append(cell)

    def cells(request: httpx.Request) -> httpx.Response:
        found = by_plan[request.url.params["plan"]]
        return httpx.Response(200, json={"position": 91234, "cells": found})

    registry.metrics["answer"] = cells
    yield
    registry.metrics["answer"] = fakes.no_metrics
