"""The inner modules of aiokafka are used in one place, for one release."""

import re
from importlib.metadata import version
from pathlib import Path

from shared.aiokafka_internals import (
    TESTED_RELEASE,
    AIOKafkaClient,
    FetchRequest,
    MemoryRecords,
    OffsetRequest,
)

ROOT = Path(__file__).parents[2]
INNER = re.compile(r"^(?:from|import) aiokafka\.(?!admin|errors)\w+", re.M)
ADAPTER = Path("shared/aiokafka_internals.py")


def test_a_new_release_is_read_before_it_is_used() -> None:
    assert version("aiokafka") == TESTED_RELEASE, (
        f"aiokafka {version('aiokafka')} is installed, {ADAPTER} was read for {TESTED_RELEASE}:"
        " read the release notes, run tests/intake with and without HOCVUSO_KAFKA_HOME, then"
        " raise TESTED_RELEASE"
    )


def test_only_the_adapter_knows_the_inner_modules() -> None:
    files = [
        f for folder in ("services", "shared", "deploy") for f in (ROOT / folder).rglob("*.py")
    ]
    found = {str(f.relative_to(ROOT)) for f in files if INNER.search(f.read_text("utf-8"))}
    assert found == {str(ADAPTER)}


def test_the_inner_modules_take_what_intake_gives_them() -> None:
    for name in ("bootstrap", "close", "send", "get_random_node"):
        assert callable(getattr(AIOKafkaClient, name)), name
    assert not MemoryRecords(b"").has_next()
    asked = {FetchRequest.API_KEY: FetchRequest(250, 1, 8, 1, [("topic", [(0, 0, 2)])]),
             OffsetRequest.API_KEY: OffsetRequest(-1, 1, [("topic", [(0, -1)])])}  # fmt: skip
    for key, request in asked.items():
        struct = request.prepare({key: (4, 4) if key == FetchRequest.API_KEY else (2, 2)})
        assert b"topic" in struct.encode()
