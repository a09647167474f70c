"""Processes without an HTTP service look for garbage calmly, too (the services: their own tests)."""

import asyncio
import gc
from types import ModuleType

import pytest

import services.activities.intake.__main__ as intake
import services.activities.relay as relay
import services.metrics.worker as worker


class Enough(Exception):
    """It has come to its settings."""


def enough() -> None:
    raise Enough


@pytest.mark.parametrize(
    ("process", "settings"),
    [(relay, "ActivitiesSettings"), (intake, "ActivitiesSettings"), (worker, "MetricsSettings")],
)
async def test_a_process_is_calm_about_garbage(
    default_collector: None, monkeypatch: pytest.MonkeyPatch, process: ModuleType, settings: str
) -> None:
    monkeypatch.setattr(process.telemetry, "setup", lambda _: None)
    monkeypatch.setattr(process, settings, enough)
    with pytest.raises(Enough):
        await process.main(asyncio.Event())
    assert gc.get_threshold()[0] >= 100_000
