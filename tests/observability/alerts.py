"""A stack, Prometheus with our alert rules, and posts that make them fire."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from deploy.local import services
from deploy.local.stack import LocalStack
from tests.deploy.backups import load_one_plan
from tests.observability.watched import Prometheus


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """All processes, without the units of the whole country."""
    home = tmp_path_factory.mktemp("watched") / "home"
    with LocalStack(home, stages=lambda e, a: services.stages(e, a)[:2]) as made:
        load_one_plan(made, tmp_path_factory.mktemp("plan") / "plans")
        yield made


@pytest.fixture(scope="module")
def prometheus(stack: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    made = Prometheus(stack, tmp_path_factory.mktemp("prometheus") / "p")
    try:
        yield made
    finally:
        made.close()


def post(stack: LocalStack, *events: dict[str, Any]) -> httpx.Response:
    key = stack.home.admin_key.read_text().strip()
    return httpx.post(
        f"{stack.urls['activities']}/v1/events",
        json=list(events),
        headers={
            "Authorization": f"Bearer {key}",
            "Content-Type": "application/cloudevents-batch+json",
        },
        timeout=60,
        trust_env=False,
    )
