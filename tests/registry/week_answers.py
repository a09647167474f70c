"""Answers of metrics that a page of the week is made of."""

import httpx


def metrics(request: httpx.Request) -> httpx.Response:
    """A province that grew, week by week, and cells of a past day."""
    if request.url.path == "/v1/series":
        names = request.url.params.get_list("objective")
        points = [
            {"as_of": f"2026-11-{day:02}", "cells": [
                {"unit_id": "66@2025", "objective": name, "value": 10 * n + i} for i, name in enumerate(names)
            ]}
            for n, day in enumerate(range(1, 13))
        ]  # fmt: skip
        return httpx.Response(200, json={"points": points})
    return httpx.Response(200, json={"position": 91234, "cells": []})
