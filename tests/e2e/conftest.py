"""One sandbox stack for all end-to-end tests; it is killed and started again in between."""

from collections.abc import Iterator

import pytest

from tests.e2e.collector import Collector
from tests.e2e.system import DAY_ONE, DAY_TWO, System


@pytest.fixture(scope="package")
def environment() -> Iterator[pytest.MonkeyPatch]:
    """Variables that the stack's processes inherit; put back before the tests of other folders."""
    patch = pytest.MonkeyPatch()
    patch.setenv("HOCVUSO_CLOCK_SHIFT_SECONDS", "0")
    yield patch
    patch.undo()


@pytest.fixture(scope="package")
def system(
    tmp_path_factory: pytest.TempPathFactory, environment: pytest.MonkeyPatch
) -> Iterator[System]:
    """On day one, with the first third of what had been posted by then."""
    collector = Collector()
    environment.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    environment.setenv("OTEL_BSP_SCHEDULE_DELAY", "500")
    found = System(tmp_path_factory.mktemp("e2e") / "home", collector)
    try:
        found.start(DAY_ONE)
        found.post(found.course.definitions)
        found.post(_until_day_one(found)[: _third(found)])
        yield found
    finally:
        found.stack.stop()
        collector.close()


@pytest.fixture(scope="package")
def played(system: System) -> System:
    """On day two, with the whole course, after a kill -9 of everything in the middle, and of one
    part after the other later on."""
    early = _until_day_one(system)
    system.post_and_kill(early[_third(system) :], DAY_TWO)
    parts = ["worker", "relay", "broker", "activities", "postgres", "worker"]
    system.post_and_disturb(system.course.postings[len(early) :], parts)
    assert not system.progress.refused, system.progress.examples
    return system


def _until_day_one(system: System) -> list:  # type: ignore[type-arg]
    return [p for p in system.course.postings if p.at.date() < DAY_ONE]


def _third(system: System) -> int:
    return len(_until_day_one(system)) // 3
