"""The blocking client is what `unasync.py` makes of the asyncio one, and of nothing else."""

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[1]


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("unasync", ROOT / "unasync.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_blocking_client_is_made_from_the_asyncio_one() -> None:
    assert load().out_of_date() == []


def test_a_change_of_the_asyncio_client_shows() -> None:
    made = load().blocking("async def f() -> AsyncIterator[int]:\n    await x.aclose()\n", "a.py")
    assert made.endswith("def f() -> Iterator[int]:\n    x.close()\n")
