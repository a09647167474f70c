"""One stack for all tests of this folder; they only read."""

from collections.abc import Iterator

import pytest

from tests.readers.world import World


@pytest.fixture(scope="package")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOCVUSO_CLOCK_SHIFT_SECONDS", "0")  # put back afterwards
        found = World(tmp_path_factory.mktemp("readers") / "home")
        try:
            found.start()
            yield found
        finally:
            found.stop()
