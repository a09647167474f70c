"""docs/registry.md tells every address and every code, and no other code."""

import re
from pathlib import Path

from tests.registry.conftest import Running
from tests.registry.routes import walk

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "registry.md").read_text()
CALLS = re.compile(r'(?:\bProblem|\brefuse|\b_conflict)\(\s*"([a-z0-9-]+)"')
"""A problem, and the short ways in which the modules of documents make one."""
ELSEWHERE = {"unit-unknown", "unit-ambiguous", "key-missing", "key-malformed", "key-wrong",
             "role-not-permitted", "key-not-checkable", "scope-missing",
             "plan-not-yet-known"}  # fmt: skip
"""Made by the tree of units, by shared/auth and by metrics, whose answers are handed on."""


def codes() -> set[str]:
    files = (ROOT / "services" / "registry").rglob("*.py")
    return {code for file in files for code in CALLS.findall(file.read_text())}


def test_every_code_is_told() -> None:
    found = codes()
    assert len(found) > 40
    assert sorted(code for code in found if f"`{code}`" not in PAGE) == []


def test_no_code_is_told_that_does_not_exist() -> None:
    table = PAGE[PAGE.index("## Error codes") :]
    told = {
        code
        for line in table.splitlines()
        if line.startswith("| `")
        for code in re.findall(r"`([a-z]+(?:-[a-z]+)+)`", line.split("|")[1])
    }
    dated = {code for code in told if code.endswith("-in-future")}
    assert told - codes() - ELSEWHERE - dated == set()


def test_every_address_is_told(registry: Running) -> None:
    for route in walk(registry.app.routes):
        if route.path.startswith("/v1/"):
            last = route.path.rstrip("/").split("/")[-1]
            named = last if not last.startswith("{") else route.path.split("/")[-2]
            assert named in PAGE, route.path
